"""Roles of the synthetic world, and the ways in which French and American people write them.

A role is a function and a level. Two spellings of one role mean the same; spellings of different
roles never coincide, so that a change of role is always a change of title by its meaning.
"""

from __future__ import annotations

from typing import NamedTuple

from crm_sync.sandbox.world_names import Country, Gender
from crm_sync.sandbox.world_random import pick

STAFF, SENIOR, MANAGER, DIRECTOR, VICE_PRESIDENT, CHIEF = range(6)
FUNCTIONS = ("sales", "marketing", "finance", "it", "operations", "hr", "legal", "procurement")
GENERAL = len(FUNCTIONS)
"""The function of those who run the whole company; it has the level CHIEF only."""


class Role(NamedTuple):
    """What somebody does: an index into FUNCTIONS (or GENERAL), and a level."""

    function: int
    level: int


Spellings = tuple[str, ...]

# Function: noun, what staff are called (then what seniors are), what the chief is called.
_AMERICAN: tuple[tuple[str, Spellings, Spellings, Spellings], ...] = (
    (
        "Sales",
        ("Sales Representative", "Sales Rep"),
        ("Senior Sales Representative", "Sr. Sales Representative", "Senior Sales Rep"),
        ("Chief Revenue Officer", "CRO"),
    ),
    (
        "Marketing",
        ("Marketing Specialist",),
        ("Senior Marketing Specialist", "Sr. Marketing Specialist"),
        ("Chief Marketing Officer", "CMO"),
    ),
    (
        "Finance",
        ("Financial Analyst", "Finance Analyst"),
        ("Senior Financial Analyst", "Sr. Financial Analyst"),
        ("Chief Financial Officer", "CFO"),
    ),
    (
        "Information Technology",
        ("IT Engineer", "Information Technology Engineer"),
        ("Senior IT Engineer", "Sr. IT Engineer"),
        ("Chief Information Officer", "CIO"),
    ),
    (
        "Operations",
        ("Operations Analyst",),
        ("Senior Operations Analyst", "Sr. Operations Analyst"),
        ("Chief Operating Officer", "COO"),
    ),
    (
        "Human Resources",
        ("Human Resources Specialist", "HR Specialist"),
        ("Senior Human Resources Specialist", "Senior HR Specialist"),
        ("Chief Human Resources Officer", "CHRO"),
    ),
    (
        "Legal",
        ("Legal Counsel",),
        ("Senior Legal Counsel", "Sr. Legal Counsel"),
        ("Chief Legal Officer", "CLO"),
    ),
    (
        "Procurement",
        ("Buyer",),
        ("Senior Buyer", "Sr. Buyer"),
        ("Chief Procurement Officer", "CPO"),
    ),
)
_SHORT_NOUNS = {"Information Technology": "IT", "Human Resources": "HR"}

# Function: staff (he, she), what a manager is responsible for, director (he, she), domain of a
# vice-president, other names of the director.
_FRENCH: tuple[tuple[str, str, str, str, str, str, Spellings], ...] = (
    (
        "Commercial", "Commerciale", "des ventes", "Directeur commercial",
        "Directrice commerciale", "Ventes", ("Dir. commercial",),
    ),
    (
        "Chargé de marketing", "Chargée de marketing", "marketing", "Directeur marketing",
        "Directrice marketing", "Marketing", ("Dir. marketing",),
    ),
    (
        "Contrôleur de gestion", "Contrôleuse de gestion", "financier",
        "Directeur administratif et financier", "Directrice administrative et financière",
        "Finance", ("DAF",),
    ),
    (
        "Ingénieur informatique", "Ingénieure informatique", "informatique",
        "Directeur des systèmes d'information", "Directrice des systèmes d'information",
        "Systèmes d'information", ("DSI",),
    ),
    (
        "Chargé d'exploitation", "Chargée d'exploitation", "des opérations",
        "Directeur des opérations", "Directrice des opérations", "Opérations",
        ("Dir. des opérations",),
    ),
    (
        "Chargé de ressources humaines", "Chargée de ressources humaines",
        "des ressources humaines", "Directeur des ressources humaines",
        "Directrice des ressources humaines", "Ressources humaines", ("DRH",),
    ),
    (
        "Juriste", "Juriste", "juridique", "Directeur juridique", "Directrice juridique",
        "Affaires juridiques", ("Dir. juridique",),
    ),
    (
        "Acheteur", "Acheteuse", "achats", "Directeur des achats", "Directrice des achats",
        "Achats", ("Dir. des achats",),
    ),
)  # fmt: skip
_PORTFOLIOS: dict[Country, Spellings] = {
    "FR": ("Île-de-France", "Sud-Est", "Grands Comptes", "Secteur public", "Europe"),
    "US": ("EMEA", "Americas", "Enterprise", "Public Sector", "West"),
}


def spellings(role: Role, country: Country, gender: Gender) -> Spellings:
    """How people of this country write the role; the first is its full form. Never empty."""
    return _TITLES[country, gender][role]


def levels(country: Country, function: int) -> tuple[int, ...]:
    """The levels that a function has in the country, from the lowest to the highest."""
    if function == GENERAL:
        return (CHIEF,)
    return tuple(range(STAFF, CHIEF + (country == "US")))


def promoted(role: Role, country: Country) -> Role:
    """The role above: the next level of the function, then the head of the whole company."""
    if role.level == levels(country, role.function)[-1]:
        return Role(GENERAL, CHIEF)
    return Role(role.function, role.level + 1)


def below(role: Role, country: Country) -> Role:
    """A role from which one comes to this one: one level lower where there is one."""
    if role.function == GENERAL:
        return Role(0, levels(country, 0)[-1])
    return Role(role.function, max(STAFF, role.level - 1))


def sideways(role: Role, country: Country, number: float) -> Role:
    """A role of the same level in another function, chosen by `number` in [0, 1)."""
    if role.function == GENERAL:
        return Role(int(number * len(FUNCTIONS)), levels(country, 0)[-1])
    others = len(FUNCTIONS) - 1
    return Role((role.function + 1 + int(number * others)) % len(FUNCTIONS), role.level)


def portfolio(country: Country, number: float) -> str:
    """A region or segment that somebody is responsible for, as it stands in brackets in a title."""
    return pick(_PORTFOLIOS[country], number)


def titled(title: str, in_charge_of: str) -> str:
    """The title with the portfolio in brackets, where there is one."""
    return f"{title} ({in_charge_of})" if in_charge_of else title


def _american() -> dict[Role, Spellings]:
    titles: dict[Role, Spellings] = {}
    for function, (noun, staff, senior, chief) in enumerate(_AMERICAN):
        short = _SHORT_NOUNS.get(noun, noun)
        titles[Role(function, STAFF)] = staff
        titles[Role(function, SENIOR)] = senior
        titles[Role(function, MANAGER)] = (f"{short} Manager", f"Manager, {noun}")
        titles[Role(function, DIRECTOR)] = (
            f"Director of {noun}",
            f"{short} Director",
            f"Director, {noun}",
        )
        titles[Role(function, VICE_PRESIDENT)] = (
            f"Vice President, {noun}",
            f"VP {short}",
            f"VP of {noun}",
            f"Vice President of {noun}",
        )
        titles[Role(function, CHIEF)] = chief
    titles[Role(GENERAL, CHIEF)] = ("Chief Executive Officer", "CEO")
    return titles


def _french(gender: Gender) -> dict[Role, Spellings]:
    she = gender == "f"
    titles: dict[Role, Spellings] = {}
    for function, (he_staff, she_staff, of, he_leads, she_leads, area, others) in enumerate(
        _FRENCH
    ):
        staff = she_staff if she else he_staff
        director = she_leads if she else he_leads
        vice = "Vice-présidente" if she else "Vice-président"
        of_hers = "financière" if she and of == "financier" else of
        titles[Role(function, STAFF)] = (staff,)
        titles[Role(function, SENIOR)] = (f"{staff} senior", f"{staff} sénior")
        titles[Role(function, MANAGER)] = (f"Responsable {of_hers}", f"Resp. {of_hers}")
        titles[Role(function, DIRECTOR)] = (director, *others)
        titles[Role(function, VICE_PRESIDENT)] = (f"{vice} {area}", f"VP {area}")
    ceo = "Directrice générale" if she else "Directeur général"
    titles[Role(GENERAL, CHIEF)] = (ceo, "DG")
    return titles


_TITLES: dict[tuple[Country, Gender], dict[Role, Spellings]] = {
    ("FR", "f"): _french("f"),
    ("FR", "m"): _french("m"),
    ("US", "f"): _american(),
    ("US", "m"): _american(),
}
