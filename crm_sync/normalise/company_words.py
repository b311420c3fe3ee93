"""What a company's name may carry without being another company: legal forms and small words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm_sync.normalise.text import each, phrases

LEGAL_FORMS_BEFORE: Sequence[str] = each(
    """
    sas sa sasu sarl eurl selarl selurl selas selafa snc scop scic sci scp scm scea earl gaec eirl
    ste ets etablissements gie ooo oao pao zao
    """
)
"""What may stand before a name: French and Russian law, since "AG", "SE", "PT" and "Co" begin
other names."""

LEGAL_FORMS_AFTER: Sequence[str] = (
    # English
    *each("inc incorporated llc lllp ltd limited corp corporation co company plc llp lp pllc pbc"),
    *each("ultd unlimited unltd pc na"),
    *phrases("limited liability company, limited partnership, public limited company"),
    *each("pty pte pvt bhd tbk jsc pjsc ojsc wll fze fzco sae"),
    *phrases("proprietary limited, private limited, sdn bhd, fz llc, pjs c"),
    # French, Belgian, Luxembourg and Swiss
    *each("cie compagnie sa sas sasu sarl eurl eirl selarl selurl selas selafa snc sca scs scop"),
    *each("scic scp scea scm gie asbl aisbl sprl srl sc scrl"),
    *phrases("scop arl, scop sa, sas u, sarl u"),
    # German and Austrian
    *each("gmbh mbh ggmbh ag kg kgaa ohg gbr og ug se ev"),
    *phrases(
        "e v, e k, e kfm, e kfr, ug haftungsbeschrankt, gesellschaft mit beschrankter haftung"
    ),
    *each("aktiengesellschaft"),
    # Dutch and Flemish
    *each("bv nv bvba cv cvba vof vzw"),
    # Italian, Spanish, Portuguese
    *each("spa srl srls sapa sl slu slp sau ltda lda eireli sgps"),
    *phrases("unipessoal lda, sa de cv, s de rl de cv, sapi de cv, srl de cv"),
    # Nordic, Baltic, eastern
    *each("ab oy oyj abp as asa aps hf ehf ooo oao pao sro doo kft zrt nyrt ood eood ead"),
    *each("hb kb ky ay ans bt rt nuf smba uab ad dd vos sal saoc saog sicav scpa"),
    *phrases(
        "sp zoo, sp z oo, spolka z oo, spolka z ograniczona odpowiedzialnoscia, sp k, sp j, sp p"
    ),
    *phrases("ab publ, spol sro, spol s ro, a spol, akc spol, kk, kabushiki kaisha, s de rl"),
    # letters that were typed one by one
    *phrases("l l c, l l p, l t d, p l c, i n c, s a, s a s, s a s u, s n c, s p a, s r l, s l"),
    *phrases("s a r l, sa r l, sa rl, s a rl, g m b h, a g, k g, b v, n v, a s, a b, k k"),
    *phrases("k s, i s, p s, s en c, sh a"),
    *phrases("s r o, spol s r o, d o o, sp z o o, spz oo, spzoo, a d"),
    "com",
)
"""What may stand after it; `.com` as well."""

LEGAL_FORM_BEFORE = f"^(the )?(({'|'.join(LEGAL_FORMS_BEFORE)}) )*"
LEGAL_FORM_AFTER = (
    f"(( and)? ({'|'.join(sorted(LEGAL_FORMS_AFTER, key=lambda form: (-len(form), form)))}))+$"
)
"""The same as patterns over a folded name, in the syntax that Python and RE2 share."""

FORMER_NAME = (
    r" *[(\[] *(formerly|previously|fka|f\.k\.a\.|aka|a\.k\.a\.|anciennement|ex[ -]|née ).*$"
    r"| (formerly|fka|anciennement) .*$"
)
"""`Acme (formerly Apex)`, in lower case: another name of the same company."""

COMPANY_SYNONYMS: Mapping[str, str] = {
    "et": "and", "und": "and", "st": "saint", "intl": "international",
    "natl": "national", "mfg": "manufacturing", "svc": "services", "svcs": "services",
    "grp": "group", "bros": "brothers", "assn": "association", "univ": "university",
    "dept": "department", "govt": "government", "mgmt": "management", "centre": "center",
    "labs": "laboratories", "tech": "technologies", "technology": "technologies",
}  # fmt: skip

COMPANY_ABBREVIATIONS: Mapping[str, str] = {
    "pwc": "pricewaterhouse", "bms": "bristolmyers", "gsk": "glaxosmith", "vw": "volkswagen",
    "lvmh": "louisvuitton", "sncf": "societenationaledeschemins", "lcl": "creditlyonnais",
    "cacib": "creditagricolecorporate", "casa": "creditagricole", "socgen": "societegenerale",
    "fedex": "federalexpress", "amex": "americanexpress", "jpm": "jpmorgan", "mck": "mckinsey",
    "jnj": "johnsonandjohnson", "adp": "aeroportsdeparis", "hpe": "hewlettpackard",
    "citi": "citigroup", "meta": "facebook",
}  # fmt: skip
"""Short names that are no initials, and how the key of the long one begins."""

SMALL_COMPANY_WORDS: Sequence[str] = each("and of the de du des la le les l d")
"""What initials may leave out."""

GENERIC_COMPANY_WORDS: Sequence[str] = each(
    """
    and the les des groupe group holding holdings international global worldwide france europe
    usa united states america american national regional company compagnie societe corporation
    enterprises enterprise entreprise services service solutions solution consulting conseil
    consultants partners partenaires associates associes technologies technology technologie tech
    systems systemes software logiciels industries industrie industrial manufacturing capital
    finance financial bank banque assurances insurance university universite college school ecole
    institute institut hospital hopital clinic clinique ministry ministere department departement
    ville city county agency agence office cabinet management media digital data labs laboratoires
    health healthcare sante energy energie foods food alimentaire retail distribution logistics
    logistique construction batiment building engineering ingenierie studio studios design
    marketing communication new north south east west nord sud est ouest first general generale
    saint sainte brothers association center laboratories government
    """
)
"""Words that tell no company from another, when their names are compared by their words."""

NO_EMPLOYER: Sequence[str] = phrases(
    """
    freelance, freelancer, freelancing, free lance, freelance consultant, consultant freelance,
    freelance consulting, self employed, self employment, selfemployed, self, own business,
    my own business, own company, independent, independent consultant, independent contractor,
    contractor, consultant, consultant independant, consultante independante, independant,
    independante, travailleur independant, travailleuse independante, a mon compte,
    mon entreprise, auto entrepreneur, auto entreprise, auto entrepreneuse, autoentrepreneur,
    autoentreprise, micro entrepreneur, micro entreprise, micro entrepreneuse, microentreprise,
    profession liberale, entrepreneur individuel, entreprise individuelle, freiberufler,
    freiberuflich, selbststandig, selbstandig, autonomo, libero professionista, zzp, zzper,
    confidential, confidentiel, confidential company, entreprise confidentielle, undisclosed,
    private, private company, stealth, stealth mode, stealth startup, stealth start up,
    stealth mode startup, stealth ai startup, stealth company, startup, start up, various,
    various companies, multiple companies, several companies, divers, diverses entreprises,
    unknown, inconnu, none, n a, na, aucun, aucune, not applicable, unemployed, sans emploi,
    retired, retraite, retraitee, student, etudiant, etudiante, tbd, autre, other
    """
)
"""What people write instead of an employer: it is no evidence that two of them share one."""
