"""What stands around people's names, and the familiar forms of French first names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm_sync.normalise.text import each

HONORIFICS: Sequence[str] = each(
    """
    mr mrs ms miss mx mme mlle mmes mm madame mademoiselle monsieur messieurs dr drs docteur doctor
    prof professeur professor pr sir dame lord lady hon rev reverend maître maitre me mgr herr frau
    sig sra srta dott ing dhr mevr capt captain col colonel maj major lt sgt gen
    """
)
"""Before a name, in lower case; with or without a dot."""

SUFFIXES: Sequence[str] = each("jr sr ii iii iv")
"""After a name; two people of one name are told apart by it."""

POST_NOMINALS: Sequence[str] = (
    *SUFFIXES,
    *each(
        """
        md phd esq cpa mba dds cfa pmp emba llm dba dvm pharmd psyd edd rn bsc msc cissp cisa cism
        cfp chfc sphr phr peng fca acca faia facs faan obe mbe cbe frcs mrics frics cipd csm
        """
    ),
)
"""After a name, in lower case; dots may stand between the letters."""

POST_NOMINALS_AFTER_COMMA: Sequence[str] = each(
    "pe jd ms ma ba bs do od dc pt ra np pa cpm lcsw crna aia leed ing ceo cfo cto coo"
)
"""The same, of which some are surnames: only where a comma stands before."""

PARTICLES: Sequence[str] = each(
    """
    de du des von van vom vor der den zu zur zum la le les di da das do dos del dela della delle
    dello degli dei dal dalla ter ten te op bin ibn ben bint abu abou al el st ste saint sainte
    san santa santo af av y e mac mc o ould ait d' 't st. ste.
    """
)
"""What belongs to the last name that follows, in lower case."""

WEAK_LAST_NAMES: Sequence[str] = each(
    """
    des van von der den les del della delle dei dos das ter ten bin ibn ben abu abou saint sainte
    san santa santo mac ould ait dal dalla zur zum vom filho neto junior
    """
)
"""Parts of last names that tell nobody apart."""

NOT_NICKNAMES: Sequence[str] = (
    *each("he she they him her them his hers their theirs il elle iel lui ze hir xe any all"),
    *each("pronouns nee ne born geb ex former formerly retired retraite ing dr mr mrs ms mme"),
    *POST_NOMINALS,
    *POST_NOMINALS_AFTER_COMMA,
)
"""What stands between brackets beside a name and is no other form of it."""

LOOSE_SIGNS = " ,;:-–—|/•·*"
"""What is left over at the ends of a name."""

_DOTTED = "|".join(r"\.?".join(word) for word in POST_NOMINALS)
_AFTER_COMMA = "|".join(r"\.?".join(word) for word in POST_NOMINALS_AFTER_COMMA)
_ANY_PARTICLE = "|".join(word.replace(".", r"\.") for word in PARTICLES)

# Over names with single blanks, in whatever case.
LEADING = rf"^(?:(?:m\. (?:et|&) )?(?:{'|'.join(HONORIFICS)})\.?(?: (?:et|and|&))? )+"  # M. et Mme
TRAILING = rf"(?:[ ,]+(?:{_DOTTED}|ph\. d)\.?|, ?(?:{_AFTER_COMMA})\.?)+$"
BIRTH_NAME = r" (?:née|geb\.|geborene) [^()]+$"
BIRTH_NAMES = r"(?: (?:née|geb\.|geborene)|\((?:née|nee|né|born|geb\.|geborene)) ([^()]+)(?:\)|$)"
MARRIED = r" (?:épouse|epouse|ép\.|veuve) "
SUFFIX = rf"[ ,]({'|'.join(SUFFIXES)})\.?(?:[ ,]|$)"
LAST_WORDS = rf"^(.+?) ((?:(?:{_ANY_PARTICLE}) )*[^ ]+)$"
NOT_PLAIN = rf"^(?:{'|'.join(HONORIFICS)}) | (?:{'|'.join(POST_NOMINALS)})$"
"""Found in two plain words that are not simply a first and a last name."""

LAST_FIRST = r"^([^,]+), ?([^, ].*)$"
BRACKETED = r"[\"“”«„(\[][^\"“”«»„()\[\]]*[\"“”»)\]]"
QUOTED = r"[\"“”«„]([^\"“”«»„()\[\]]+)[\"“”»]"
IN_BRACKETS = r"[(\[]([^()\[\]]+)[)\]]"
IN_BRACKETS_BEFORE = IN_BRACKETS + r" *[^ ,(\[\"“«„]"
"""Between brackets, with a name to follow: after a whole name there are other things."""

ELIDED = r"(^|[ -])[dD]['’]"

_FRENCH = """
    alex: alexandre alexandra alexis; antho: anthony; aurel: aurelien aurelie; babeth: elisabeth;
    bea: beatrice; ben: benjamin benoit; benji: benjamin; bene: benedicte; caro: caroline carole;
    cath, cathy: catherine; charly: charles charlotte;
    chris: christophe christian christine christelle; clem: clement clemence;
    dany: daniel danielle; dede: andre; delph: delphine; domi: dominique; edou: edouard;
    elo: elodie eloise; fab: fabrice fabien; flo: florence florent florian; fanfan: francois;
    fred: frederic frederique; gab: gabriel gabrielle; gege: gerard; greg: gregoire gregory;
    guigui: guillaume; gus: auguste augustin gustave; isa: isabelle; jacky: jacques jacqueline;
    jeannot: jean; jef, jeff: jeanfrancois; jerem: jeremie jeremy; juju: julien julie;
    jul: jules julien julie; lolo: laurent laurence; ludo: ludovic; mag: magali;
    manu: emmanuel emmanuelle manuel; marco: marc; margot: marguerite; marjo: marjorie;
    mat: mathieu matthieu; max: maxime maximilien maxence; mick, micka: mickael; momo: mohamed;
    nath: nathalie nathan; nico: nicolas nicole; oliv: olivier olivia;
    pat: patrick patrice patricia; phil: philippe; philou: philippe; pierrot: pierre;
    raph: raphael raphaelle; rom: romain; sand: sandrine; seb: sebastien;
    steph, stef: stephane stephanie; sylv: sylvie sylvain; theo: theodore theophile;
    thib: thibault thibaut; tim: timothee; titi: thierry; tof: christophe; tom: thomas;
    tony: antoine anthony; val: valerie valentin valentine; vero: veronique; vince: vincent;
    virg: virginie; xav: xavier; yo: yohan yoann; zaza: isabelle; jb: jeanbaptiste;
    jc: jeanchristophe jeanclaude jeancharles; jd: jeandaniel jeandavid; jf: jeanfrancois;
    jj: jeanjacques; jl: jeanluc jeanlouis; jm: jeanmichel jeanmarc jeanmarie; jn: jeannoel;
    jp: jeanpierre jeanpaul jeanphilippe jeanpatrick; js: jeansebastien; jv: jeanvincent;
    jy: jeanyves; pa: pierreantoine pierrealain pierrealexandre; pe: pierreemmanuel pierreetienne;
    ph: pierrehenri; pl: pierrelouis; pm: pierremarie; py: pierreyves;
    ac: anneclaire annecharlotte; al: annelaure annelise; am: annemarie; as: annesophie;
    mc: marieclaude mariechristine marieclaire; mf: mariefrancoise; mh: mariehelene;
    ml: marielaure marielouise; mp: mariepierre; mt: marietherese; ch: charleshenri;
    ce: charlesedouard; fx: francoisxavier; mariejo: mariejosephe mariejose;
"""


SHARED_NICKNAMES: Sequence[str] = each(
    """
    al alex ali andi andie andy angie ash bernie bertie billie bobbie bobby cam carol cary cass
    chris chrissy clem connie dan dani danny dany del dom domi don donnie edou eddie em ernie
    fab flo fran francie frankie fred freddie gab gabby gerry gill izzy jackie jacky jamie jean
    jerry jess jessie jo jody joey joss juju jul jules kelly kerry kim kit kris kristy laurie
    lee leo lolo lou louie manu mat matt mel mickey nat nath nick nicki nicky nico oli oliv
    ollie pat phil randy raph rob robbie robin ron ronnie sam sammy sand sandy sasha steph stef
    stevie sydney sylv terry theo toni tony tracy val vic viv willie yo
    """
)
"""Familiar forms of men's names and of women's: they do not tell brother from sister."""


def french_nicknames() -> Mapping[str, Sequence[str]]:
    """Familiar forms and the first names behind them, folded and without hyphens."""
    found: dict[str, Sequence[str]] = {}
    for entry in _FRENCH.split(";"):
        shorts, _, names = entry.partition(":")
        found.update((short.strip(), each(names)) for short in shorts.split(",") if names)
    return found
