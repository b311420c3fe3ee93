"""What a title says of seniority: the rule table, in English and French.

Write phrases in lower case, without accents, parted by commas. A phrase is found wherever its words
follow each other in a title. Gender and plural do not matter (`directeur` is also `Directrices`),
nor do small words between (`chef projet` is also `Chef de projet`). `*` stands for one whole word
or for the rest of one, `^` for the title's beginning, `$` for its end, and `!` after a word keeps
it from having a feminine form.

`READ_AS` comes first, from top to bottom. Then the first step of `LEVELS` with a finding gives the
level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum


class Level(StrEnum):
    """How senior a title is; `rank` is higher for the more senior."""

    OWNER = "owner"
    PARTNER = "partner"
    CXO = "cxo"
    VP = "vp"
    DIRECTOR = "director"
    MANAGER = "manager"
    SENIOR = "senior"
    ENTRY = "entry"
    TRAINING = "training"
    UNPAID = "unpaid"

    @property
    def rank(self) -> int:
        """100 for an owner down to 10 for a volunteer, in steps of ten."""
        return 100 - 10 * list(Level).index(self)


READ_AS: Sequence[tuple[str, str]] = (
    # people who work for somebody with a great title
    (
        "assistant to, assistant of, assistant du, assistant de, assistant des, assistant aupres",
        "aide",
    ),
    ("executive assistant, personal assistant, assistant direction, secretary to, ea to", "aide"),
    ("pa to, ceo assistant, president assistant, director assistant, secretaire direction", "aide"),
    ("secretaire du directeur, secretaire du president, aide camp", "aide"),
    # one word for what is said in two
    ("deputy mayor, adjoint maire, maire adjoint", "vp"),
    ("vice president, vicepresident", "vp"),
    ("co founder, co fondateur, president fondateur, dirigeant fondateur", "founder"),
    ("co owner, chef entreprise, createur entreprise", "owner"),
    ("deputy ceo, deputy chief executive officer, deputy chief executive", "vp"),
    ("deputy managing director, deputy general director, deputy coo, deputy cfo, deputy cto", "vp"),
    ("directeur general adjoint, directeur general delegue, president delegue", "vp"),
    ("adjoint directeur, adjoint chef, adjoint responsable", "manager"),
    ("chief of staff, chef cabinet", "director"),
    ("managing director, general director, directeur general, gerant salarie", "ceo"),
    ("executive board, management board, comite executif, executive committee", "comex"),
    ("board of directors, conseil administration, conseil surveillance", "board"),
    # words that mean something else in company
    ("product owner, process owner, data owner, system owner, service owner", "specialist"),
    ("application owner, scrum master", "specialist"),
    ("business partner, hr partner, people partner, talent partner, finance partner", "specialist"),
    ("client partner, delivery partner, learning partner, technology partner", "specialist"),
    ("partner engineer*, partner solution*, partner specialist, channel partner", "specialist"),
    ("partner development, partner enablement, partner marketing, partner sales", ""),
    ("partner manager, partner success, partner account, partner relations", "manager"),
    ("chef orchestre, chef rang, chef partie, chef bord", "specialist"),
    ("executive chef, head chef, sous chef, chef cuisine", "manager"),
    ("gerant portefeuille, gerant fonds, gerant magasin, gerant restaurant", "manager"),
    ("lead generation, lead management, lead qualification", ""),
    ("head coach, head nurse, head teacher, head cashier, head waiter", "manager"),
    ("support staff, staff accountant, staff nurse, staff writer, staff assistant", "specialist"),
    ("of counsel", "senior"),
    ("assistant professor, associate professor, maitre conferences", "professor"),
    # teaching and leading those who learn or help is a job
    ("volunteer coordinator, coordinat* benevoles, benevoles coordinat*", "specialist"),
    ("volunteer manager, responsable benevoles, charge benevoles", "manager"),
    ("volunteer director, director of volunteer*, directeur benevoles", "director"),
    ("head of volunteer*", "head"),
    ("volunteer services, volunteer program*, volunteer engagement", ""),
    ("student affairs, student services, student success, student life, student recruitment", ""),
    ("intern program*, internship program*, apprenticeship program*, trainee program*", ""),
    ("apprenticeship manager, internship manager, responsable alternance", "manager"),
    ("responsable stages, responsable apprentissage", "manager"),
    ("internship coordinator, charge alternance, charge stages", "specialist"),
    ("directeur stages alternance, directeur stages, directeur alternance", "director"),
    ("tuteur stagiaires, tuteur apprentis, formateur apprentis", "specialist"),
)
"""Phrases that would mislead, and what counts in their place."""

LEVELS: Sequence[Mapping[Level | None, str]] = (
    {Level.UNPAID: "volunteer, benevole, volontaire, pro bono"},
    {
        Level.TRAINING: """
            intern!, internship, trainee, traineeship, stagiaire, stage, apprenti, apprentice,
            apprenticeship, alternant, alternance, contrat pro, contrat professionnalisation,
            ^student, student$, student at, student in, working student, werkstudent, praktikant*,
            ^etudiant, etudiant$, eleve ingenieur, eleve avocat, summer associate, summer analyst,
            doctorant, phd candidate, phd student, doctoral candidate, doctoral student, cadet,
            interne medecine, interne hopitaux, resident physician, medical resident, co op
        """
    },
    {Level.ENTRY: "aide"},
    {Level.OWNER: "founder, cofounder, fondateur, cofondateur"},
    {
        Level.OWNER: """
            owner, coowner, proprietor, proprietaire, entrepreneur, autoentrepreneur, gerant,
            cogerant, inhaber
        """,
        Level.PARTNER: "partner, associe",
        Level.CXO: """
            ceo, cfo, coo, cto, cio, ciso, cmo, chro, cpo, cro, cco, cdo, clo, cso, caio, cxo,
            chief * officer, chief * * officer, chief * * * officer, chief executive, chief
            financial, chief operating, chief technology, chief economist, pdg, dg, president,
            copresident, chair!, chairman, chairwoman, chairperson, directoire, comex, chancellor,
            provost, recteur, rector, dirigeant, mayor, maire, geschaftsfuhrer*, vorstand
        """,
    },
    {Level.VP: "vp, svp, evp, avp, rvp, gvp, dga"},
    {Level.ENTRY: "junior, jr, entry level, debutant, assistant chef, assistant responsable"},
    {
        Level.DIRECTOR: """
            director, dir, directeur, head, drh, daf, dsi, dircom, dirco, dgs, general counsel,
            general manager, country manager, gm, dean, doyen, superintendent, proviseur,
            ^principal$, school principal, principal college, secretaire general, secretary
            general, delegue general, editor in chief, * en chef, chief, board, ^administrateur$,
            administrateur independant, direktor, direttore
        """
    },
    {
        Level.MANAGER: """
            manager, mgr, mngr, responsable, resp, rrh, raf, rssi, chef, supervisor, superviseur,
            team lead, team leader, project leader, group leader, squad leader, foreman,
            contremaitre, encadrant, conducteur travaux, agent maitrise, financial controller,
            finance controller, matron, leiter, jefe, gerente, responsabile
        """
    },
    {
        Level.SENIOR: """
            senior, sr, snr, lead, principal, staff, expert, confirme, experimente, referent,
            distinguished, experienced
        """
    },
    {
        None: """
            conseiller municipal, conseiller regional, conseiller departemental, conseiller
            general, depute, senateur, senator, councillor, councilor, councilman, councilwoman,
            council member, congressman, congresswoman, member of parliament, member of congress,
            mp, elu, assembly member, assemblyman, assemblywoman, state representative, us
            representative, freelance, freelancer, independant, independent, self employed, auto
            entrepreneur, micro entrepreneur, retraite, retired, member, membre, unemployed
        """
    },
    {
        Level.ENTRY: """
            assistant, associate, graduate, specialist, specialiste, consultant, conseiller,
            adviser, advisor, coordinator, coordinateur, coordonnateur, officer, agent, employe,
            employee, representative, representant, delegue, charge, attache, gestionnaire,
            technicien, technician, operator, operateur, analyst, analyste, secretary, secretaire,
            receptionist, receptionniste, clerk, hote, hotess, ouvrier, worker, artisan,
            practitioner, generaliste, professional, collaborateur, professor, interpreter,
            interprete, translator, traducteur, planner, planificateur, inspector, inspecteur,
            auditor, guide, controleur, mediateur, correspondant, charge mission, animateur,
            conducteur, chauffeur, driver, serveur, waiter, cook, cuisinier, barman, cashier,
            caissier, hairdresser, coiffeur, gardien, guard, librarian, bibliothecaire, archivist,
            archiviste, social worker, priest, pretre
        """
    },
)
"""From top to bottom: the first step with a finding counts, and within one step the level that the
title says first. None: the title tells none. What tells none of all these is an entry level if it
tells a kind of work."""
