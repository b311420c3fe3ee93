"""Titles: what means the same in two languages, what means nothing, what is no job.

A wrong equality here can only hide a change, never invent one; so titles of two languages are
equal where a colleague would call them the same job, and stay apart where she would hesitate
(a `PDG` is not a `CEO`, a `DAF` is not a `CFO`, a head is not a director).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm_sync.normalise.text import each

TITLE_FILLERS: Sequence[str] = each(
    "of the and for at in de du des la le les et a au aux en chez pour d l"
)

TITLE_PHRASES: Mapping[str, str] = {
    # what is said in several words, longest first; the right side is already a key
    "senior executive vice president": "executive senior vp",
    "executive vice president": "executive vp",
    "senior vice president": "senior vp",
    "assistant vice president": "assistant vp",
    "vice president": "vp",
    "vice chairman": "vicechair",
    "vice chairwoman": "vicechair",
    "vice chairperson": "vicechair",
    "vice chair": "vicechair",
    "president directeur general": "pdg",
    "directeur general adjoint": "dg deputy",
    "directeur general delegue": "dg delegue",
    "directeur general": "dg",
    "directeur ressources humaines": "director hr",
    "directeur administratif financier": "daf",
    "directeur systemes information": "director it system",
    "directeur systeme information": "director it system",
    "responsable ressources humaines": "manager hr",
    "responsable administratif financier": "raf",
    "chief executive officer": "ceo",
    "chief executive": "ceo",
    "chief legal officer": "clo",
    "chief strategy officer": "cso strategy",
    "controleur gestion": "financial controller",
    "sales representative": "sales",
    "representant commercial": "sales",
    "technico commercial": "sales engineer",
    "legal counsel": "counsel",
    "chief financial officer": "cfo",
    "chief operating officer": "coo",
    "chief operations officer": "coo",
    "chief technology officer": "cto",
    "chief technical officer": "cto",
    "chief information officer": "cio",
    "chief information security officer": "ciso",
    "chief marketing officer": "cmo",
    "chief human resources officer": "chro",
    "chief people officer": "cpo people",
    "chief product officer": "cpo product",
    "chief revenue officer": "cro",
    "chief commercial officer": "cco",
    "chief data officer": "cdo data",
    "chief digital officer": "cdo digital",
    "human resources": "hr",
    "human resource": "hr",
    "ressources humaines": "hr",
    "information technology": "it",
    "technologies information": "it",
    "research development": "rd",
    "recherche developpement": "rd",
    "public relations": "pr",
    "relations publiques": "pr",
    "business development": "bizdev",
    "developpement commercial": "bizdev",
    "supply chain": "supplychain",
    "chaine logistique": "supplychain",
    "charge affaires": "business manager",
    "ingenieur affaires": "business engineer",
    "chef projet": "project manager",
    "chef produit": "product manager",
    "chef secteur": "area manager",
    "chef ventes": "manager sales",
    "chef equipe": "team leader",
    "team lead": "team leader",
    "vice presidency": "vp",
    "grand compte": "key account",
    "chief human resource officer": "chro",
    "co founder": "cofounder",
    "co fondateur": "cofounder",
    "member parliament": "mp",
    "united states": "us",
    "etats unis": "us",
}

TITLE_SYNONYMS: Mapping[str, str] = {
    # abbreviations
    "sr": "senior",
    "snr": "senior",
    "jr": "junior",
    "mgr": "manager",
    "mngr": "manager",
    "dir": "director",
    "eng": "engineer",
    "engr": "engineer",
    "asst": "assistant",
    "assoc": "associate",
    "acct": "account",
    "exec": "executive",
    "dept": "department",
    "dev": "developer",
    "ops": "operations",
    "admin": "administrator",
    "svp": "senior vp",
    "evp": "executive vp",
    "avp": "assistant vp",
    "resp": "manager",
    "rh": "hr",
    "drh": "director hr",
    "rrh": "manager hr",
    "dsi": "director it system",
    "dga": "dg deputy",
    "dircom": "director communication",
    "mktg": "marketing",
    "rep": "representative",
    "spec": "specialist",
    "vicepresident": "vp",
    "govt": "government",
    "intl": "international",
    "natl": "national",
    # French, as the key of the English word; feminine forms fall together by their stem
    "directeur": "director",
    "responsable": "manager",
    "gestionnaire": "manager",
    "ingenieur": "engineer",
    "developpeur": "developer",
    "conseiller": "advisor",
    "charge": "specialist",
    "juriste": "counsel",
    "controleur": "controller",
    "adviser": "advisor",
    "adjoint": "deputy",
    "commercial": "sales",
    "ventes": "sales",
    "vente": "sales",
    "achats": "purchasing",
    "achat": "purchasing",
    "procurement": "purchasing",
    "acheteur": "buyer",
    "juridique": "legal",
    "technique": "technical",
    "informatique": "it",
    "financier": "finance",
    "financial": "finance",
    "finances": "finance",
    "comptable": "accountant",
    "comptabilite": "accounting",
    "produit": "product",
    "produits": "product",
    "projet": "project",
    "projets": "project",
    "strategie": "strategy",
    "strategique": "strategic",
    "qualite": "quality",
    "recherche": "research",
    "securite": "security",
    "donnees": "data",
    "numerique": "digital",
    "logistique": "logistics",
    "exploitation": "operations",
    "usine": "plant",
    "site": "plant",
    "clients": "customer",
    "client": "customer",
    "clientele": "customer",
    "comptes": "account",
    "compte": "account",
    "cles": "key",
    "grands": "key",
    "fondateur": "founder",
    "cofondateur": "cofounder",
    "associe": "partner",
    "avocat": "lawyer",
    "attorney": "lawyer",
    "formateur": "trainer",
    "chercheur": "researcher",
    "analyste": "analyst",
    "architecte": "architect",
    "coordinateur": "coordinator",
    "coordonnateur": "coordinator",
    "administrateur": "administrator",
    "directorate": "direction",
    "chairman": "chair",
    "chairwoman": "chair",
    "chairperson": "chair",
    "stagiaire": "intern",
    "apprenti": "apprentice",
    "benevole": "volunteer",
    "superviseur": "supervisor",
    "technicien": "technician",
    "enseignant": "teacher",
    "infirmier": "nurse",
    "medecin": "physician",
    "recruteur": "recruiter",
    "recrutement": "recruitment",
    "logiciel": "software",
    "reseau": "network",
    "systemes": "system",
    "marque": "brand",
    "contenu": "content",
    "sante": "health",
    "energie": "energy",
    "assurances": "insurance",
    "assurance": "insurance",
    "banque": "bank",
    "ecole": "school",
    "universite": "university",
    "marches": "markets",
    "pays": "country",
    "zone": "area",
    "secteur": "area",
    "monde": "worldwide",
    "mondial": "worldwide",
    "europeen": "europe",
}

RANK_WORDS: Sequence[str] = each(
    """
    senior junior executive associate assistant deputy lead principal staff interim acting
    confirme debutant interimaire 1 2 3 i ii iii
    """
)
"""Words that tell a step within one kind of work, not another kind."""

SEAT_PATTERN = (
    r"\b(board (member|director|observer|advis[eo]r|chair)|member (of the )?board|advisory board"
    r"|(member|chair(man|woman|person)?) of the board|advisory (council|committee)"
    r"|supervisory board|non ?executive|independent director|trustee|angel|investor|mentor"
    r"|volunteer|benevole|membre (du )?(conseil|comite)|conseil (d ?)?administration"
    r"|conseil (de )?surveillance|administrat(eur|rice) independante?|fractional"
    r"|director of the board|(steering|expert|scientific|ethics) committee member|school governor"
    r"|honorary (president|chair\w*|member)|(adjunct|guest|visiting) (lecturer|professor|speaker)"
    r"|professeure? invitee?|chargee? (de cours|d ?enseignement)|vacataire|investisseu(r|se)"
    r"|benevolat|membre du (ca|bureau|jury)|juge consulaire|reserviste"
    r"|conseill(er|ere) du commerce exterieur)\b"
    r"|^(board|ned|limited partner|pro bono \w+|censeure?|(parrain|marraine)( de promotion)?)$"
    r"|^intervenante?( (exterieure?|professionnel(le)?|vacataire))?$"
    r"|^((strategic|senior|startup|start up|executive|independent|special|external|venture"
    r"|industry) )*(advis[eo]r|advisory)( to the ceo)?$"
    r"|^conseill(er|ere) strategique$"
    # what associations, clubs and towns give to people who have a job elsewhere
    r"|^(honorary )?treasurer$|^tresori(er|ere)( adjointe?| benevole)?$|^administrat(eur|rice)$"
    r"|^((official|founding|active|associate|honorary|council|committee|community|club) )*members?$"
    r"|^membre( (acti(f|ve)|fondat(eur|rice)|associee?|honoraire))?$|\bforbes \w+ council\b"
    r"|\bconseill(er|ere) (municipale?|communautaire)\b|^elue? (locale?|municipale?)$"
    r"|^conseill(er|ere) (departementale?|regionale?|metropolitaine?)$"
    r"|^(\w+ )?adjointe? (au|a la|du) maire\b|^maire adjointe?\b"
    r"|^((alumni|campus|community|student|company) )?ambassad(or|eur|rice)$"
    r"|^(immediate )?past (president|chair\w*)$"
)
NOT_A_SEAT_PATTERN = (
    r"\b(investor relations|relations investisseurs"
    r"|comite (de direction|directeur|executif|de management|de groupe|operationnel)"
    r"|(volunteer|mentor\w*|trustee|board) (program(me)? )?"
    r"(coordinator|manager|services|secretary|administrator))"
)

_BOTH_ENDINGS = "e|ne|le|fe|ve|se|re|te|sse|ère|ere|euse|trice|rice|ice|ienne|enne|rrice"
INCLUSIVE = (
    rf"(?:\((?:{_BOTH_ENDINGS})s?\)(?:\(s\)|s)?|[·•‧∙⋅](?:{_BOTH_ENDINGS})(?:[·•‧∙⋅]?s)?"
    rf"|[./-](?:{_BOTH_ENDINGS})(?:[./-]?s)?|\(s\))([ ,;:/)]|$)"
)
"""`Directeur(trice)`, `chargé·e`, `ingénieur.e`, in lower case: one word, whose masculine stays."""

ELISION = r"(^|[ \t\n\f\r(/])(?:l|d|qu)'"
"""No words of their own; in lower case."""

RESEARCH = r"\br ?& ?d\b"
