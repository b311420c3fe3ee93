"""Which kinds of work a title tells, in English and French: the rule table.

Written as in `title_levels`. `DEPARTMENT_READ_AS` comes first, from top to bottom. Then every
department of which a phrase is found is one of the title's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DEPARTMENT_READ_AS: Sequence[tuple[str, str]] = (
    # those who work for somebody, those who stand in for somebody
    ("assistant to *, assistant du *, secretary to *, ea to *, pa to *", "secretary"),
    ("secretary managing director, secretary general director", "secretary"),
    ("vice president, vicepresident", "vp"),
    ("secretary general, secretaire general, general secretary", "dg"),
    ("company secretary", "legal"),
    ("executive director", "director"),
    # a seller who is called after what is sold, or after a way of selling
    ("business developer, business developpeur", "business development"),
    ("ingenieur commercial, ingenieur affaires, ingenieur avant vente, ingenieur vente", "sales"),
    ("sales engineer, presales engineer, pre sales engineer, sales technician", "sales"),
    # a field that is called after another
    ("information security officer", "ciso"),
    ("data scientist, data science", "data"),
    ("support technician, technicien support, technicien informatique, it technician", "it"),
    ("technicien reseau, technicien systemes, network technician", "it"),
    ("financial planning, financial analys*, financial control*, project finance", "finance"),
    ("learning development, training development, formation professionnelle", "talent"),
    ("chef entreprise", "owner"),
    ("premier ministre, prime minister", "minister"),
)
"""Phrases that would mislead, and what counts in their place."""

DEPARTMENTS: Mapping[str, str] = {
    "communication": """
        communication, pr, public relations, relations publiques, dircom, speaker, porte parole,
        spokesperson, corporate affairs, external affairs, relations presse, press officer, press
        secretary, attache presse, art director, directeur artistique, creative director, directeur
        creation, graphist*, graphic design*, graphiste, infographiste, designer, design
    """,
    "customer": """
        customer, client success, client service*, client support, clientele, service client,
        relation client, support client, success manager, call center, centre appel, satisfaction
        client, experience client, teleconseiller, client advisor, client relation*
    """,
    "education": """
        teacher, professeur, professor, enseignant, lecturer, instituteur, school, ecole, dean,
        doyen, academic, education, faculty, instructor, formateur, tutor, pedagog*, principal
        college, proviseur, student, recteur, rector, provost, chancellor, maitre conferences,
        universite, university, educateur, academy, college, lycee, stages alternance, etudes
        superieures, campus, curriculum
    """,
    "engineering": """
        engineer*, ingenier*, ingenieur, cto, chief technology, chief technical, bureau etudes,
        architect, architecte, industrialisation, methodes, technique, technical, developer,
        developpeur, software, devops, full stack, fullstack, backend, frontend, front end, back
        end, mecanicien, mechanic, electricien, electrician, programmer, programmeur, technicien,
        technician, qa, platform, firmware, embedded
    """,
    "finance": """
        finance, financial, financier, cfo, daf, raf, account* payable, account* receivable,
        accountant, accounting, comptable, comptabilite, controleur gestion, controle gestion,
        controller, treasurer, treasury, tresorier, tresorerie, audit, auditor, auditeur, tax,
        fiscal, fiscaliste, investor, investisseur, investor relations, banker, banquier, banking,
        actuary, actuaire, credit, investment, investissement, fusions acquisitions, portfolio
        manager, gerant portefeuille, patrimoine, trader, trading, risk, risque, bookkeeper,
        billing, facturation, private equity, fund, wealth, underwriter, souscripteur, fp and a
    """,
    "general_management": """
        ceo, pdg, dg, dga, directeur general, chief executive, president, copresident, managing
        director, general manager, general director, founder, cofounder, owner, fondateur,
        cofondateur, gerant, cogerant, dirigeant, chief of staff, chef cabinet, chairman, chair!,
        chairwoman, chairperson, country manager, secretaire general, secretary general, gm,
        managing partner, entrepreneur, proprietaire, proprietor, directoire, board, dgs, strategy,
        strategie, strategic planning, direction generale, corporate development, transformation,
        comex, executive committee, comite executif
    """,
    "health": """
        nurse, infirmier, physician, doctor, medecin, medical, clinical, clinique, health,
        healthcare, sante, pharmac*, dentist, dentiste, surgeon, chirurgien, therapist,
        kinesitherapeute, psychologue, psychologist, soignant, hospital, hospitalier, hopital, sage
        femme, midwife, veterinarian, veterinaire, orthophoniste, paramedic, ambulancier,
        radiolog*, patient, general practitioner, generaliste, cardiolog*, psychiatr*, nursing,
        soins
    """,
    "human_resources": """
        hr, rh, human resources, ressources humaines, drh, rrh, chro, chief people, people, talent,
        recruiter, recruitment, recruiting, recruteur, recrutement, hrbp, payroll, paie, paye,
        compensation, workforce, diversity, carriere, relations sociales, personnel, employee
        relations, formation, learning, training, trainer, volunteer coordinator, volunteer
        manager, responsable benevoles, qvt, marque employeur, employer brand*
    """,
    "it": """
        it, cio, dsi, ciso, rssi, information technology, information system*, systeme, system,
        informatique, sysadmin, network, reseau, cloud, data, database, donnees, cyber*,
        information security, securite information, security engineer, security analyst,
        infrastructure, sap, salesforce, erp, help desk, helpdesk, ai, artificial intelligence,
        intelligence artificielle, machine learning, solution architect, cdo, sre, devops, business
        intelligence, analytics, chief digital, transformation digitale
    """,
    "legal": """
        legal, law, lawyer, attorney, counsel, juridique, juriste, avocat, notaire, paralegal,
        solicitor, barrister, compliance, conformite, clo, dpo, contentieux, litigation, huissier,
        judge, juge, magistrat, greffier, intellectual property, propriete intellectuelle, droit,
        regulatory, reglementaire, affaires reglementaires, privacy, data protection, company
        secretary
    """,
    "marketing": """
        marketing, cmo, brand, marque, growth, seo, sea, content, contenu, advertising, publicite,
        community manager, social media, reseaux sociaux, demand generation, lead generation,
        campaign*, trade marketing, merchandising, merchandiser, traffic manager, webmarketing,
        mktg, market research, digital, crm manager, evenementiel
    """,
    "media": """
        journalist, journaliste, editor, editeur, editorial, redacteur, reporter, producer,
        producteur, film*, video*, photograph*, broadcast*, radio, television, tv, media,
        publisher, writer, realisateur, music*, artist, artiste, author, auteur, redaction,
        newsroom, news
    """,
    "operations": """
        operation, coo, ops, logisti*, supply chain, production, plant, usine, manufacturing,
        fabrication, warehouse, entrepot, transport, exploitation, qualite, quality, chantier,
        travaux, construction, facilities, facility, maintenance, site manager, magasinier,
        planning, lean, continuous improvement, amelioration continue, hse, qhse, safety, driver,
        chauffeur, shipping, delivery, atelier, services generaux, moyens generaux, executive
        assistant, assistant administratif, administrative assistant, administrative officer,
        administrative coordinator, agent administratif, employe administratif, gestionnaire
        administratif, chief operating, assistant direction, secretaire, secretary, receptionist,
        receptionniste, accueil, office manager, assistant to, shift, executive chef, head chef,
        sous chef, chef cuisine, cuisinier, cook, kitchen, cuisine, chef partie, conducteur,
        machine operator, operateur, personal assistant, supplychain, security officer, security
        guard, agent securite, housekeeping, cleaning, foreman
    """,
    "product": "product, produit, cpo, ux, ui, user experience",
    "public_sector": """
        mayor, maire, mairie, senator, senateur, depute, minister, ministre, ministere, prefet,
        government, gouvernement, public affairs, affaires publiques, public policy, civil servant,
        fonctionnaire, councillor, councilor, city council*, council member, conseiller municipal,
        conseiller regional, conseiller departemental, police, policier, gendarme, army, armee,
        military, militaire, ambassador, ambassadeur, diplomat*, consul, congress*, city manager,
        dgs, directeur general services, directeur general adjoint services, collectivite,
        territorial, firefighter, pompier, elu, legislat*, parliament*, parlementaire, public
        works, municipal, county, public administration, etat
    """,
    "purchasing": """
        purchasing, procurement, achat, acheteur, buyer, sourcing, approvisionneur,
        approvisionnement, category manager, vendor management, acquisitions manager
    """,
    "research": """
        research, recherche, researcher, chercheur, scientist, scientific, scientifique, rd,
        research and development, laborator*, laboratoire, lab, postdoc*, post doctoral,
        postdoctoral, doctorant, phd, science, biolog*, chemist, chimiste, physicist, physicien,
        cso
    """,
    "sales": """
        sale, commercial, commerciaux, vente, vendeur, account executive, account manager, account
        director, business development, developpement commercial, bizdev, sdr, bdr, cro, chief
        revenue, revenue, key account, grands comptes, comptes cles, compte cle, grand compte,
        charge affaires, technico commercial, vrp, negociateur, broker, courtier, export, presales,
        pre sales, avant vente, retail, representant, partnership, partenariat, partner manager,
        partner account, partner sales, alliances, telesales, televendeur, real estate agent, agent
        immobilier, dirco, store, magasin, boutique, rayon, shop, cco, chief commercial, sales and
        marketing, point vente
    """,
}
"""The kind of work; a title may speak of several."""
