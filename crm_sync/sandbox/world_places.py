"""Places of the synthetic world, and the telephone numbers and addresses that go with them.

Every number lies in a range that is set aside for fiction: 555-01xx in the United States, and
01 99 00 xx xx and 06 39 98 xx xx in France. These ranges are small: in a large world several people
share a number, and a number alone identifies nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from crm_sync.sandbox.world_names import Country
from crm_sync.sandbox.world_random import Draw, pick


@dataclass(frozen=True, slots=True)
class Place:
    """A city; `postal_prefix` begins its postal codes, `area_code` its American numbers."""

    city: str
    postal_prefix: str
    country: Country
    area_code: str = ""


COUNTRY_NAMES: dict[Country, str] = {"FR": "France", "US": "United States"}
_OTHER_COUNTRY_NAMES: dict[Country, str] = {"FR": "FR", "US": "USA"}

_FRENCH_CITIES = """
Paris 750|Paris 750|Paris 750|Paris 750|Lyon 690|Lyon 690|Marseille 130|Toulouse 310|Nantes 440|
Bordeaux 330|Lille 590|Strasbourg 670|Rennes 350|Montpellier 340|Nice 060|Grenoble 380|Rouen 760|
Dijon 210|Angers 490|Tours 370|Courbevoie 924|Boulogne-Billancourt 921|Saint-Étienne 420|
Aix-en-Provence 131|Clermont-Ferrand 630|Villeurbanne 691|Metz 570|Orléans 450|Caen 140|Brest 292
"""
_AMERICAN_CITIES = """
New York 100 212|New York 100 646|San Francisco 941 415|Chicago 606 312|Boston 021 617|
Austin 787 512|Seattle 981 206|Los Angeles 900 213|Denver 802 303|Atlanta 303 404|Dallas 752 214|
Houston 770 713|Philadelphia 191 215|Minneapolis 554 612|Portland 972 503|San Diego 921 619|
Phoenix 850 602|Miami 331 305|Detroit 482 313|Charlotte 282 704|Columbus 432 614|Raleigh 276 919|
Nashville 372 615|Pittsburgh 152 412|Salt Lake City 841 801|Kansas City 641 816|St. Louis 631 314
"""
_FRENCH_STREETS = (
    "rue de la République", "avenue Victor Hugo", "rue des Lilas", "boulevard de la Gare",
    "rue du Moulin", "place du Marché", "allée des Tilleuls", "quai des Brumes", "rue de l'Église",
    "cours de l'Horloge", "impasse des Acacias", "rue du Vieux Pont",
)  # fmt: skip
_AMERICAN_STREETS = (
    "Main Street", "Maple Avenue", "Oak Street", "Market Street", "Lakeview Drive", "Elm Street",
    "Harbor Boulevard", "Industrial Parkway", "Cedar Lane", "Mill Road", "Union Square",
    "Commerce Way",
)  # fmt: skip


def draw_place(country: Country, number: float) -> Place:
    """A city of the country at `number` in [0, 1), the larger ones more often."""
    return pick(_PLACES[country], number)


def country_as_typed(country: Country, number: float) -> str:
    """The country as a team types it: mostly its name, now and then an abbreviation."""
    names = _OTHER_COUNTRY_NAMES if number < 0.06 else COUNTRY_NAMES
    return names[country]


def postal_code(place: Place, number: float) -> str:
    """Five digits that begin as the city's postal codes do."""
    return f"{place.postal_prefix}{int(number * 20) + 1:02d}"


def street(country: Country, draw: Draw) -> str:
    """A street with a house number, as it is written in the country."""
    if country == "FR":
        return f"{int(draw() * 140) + 1} {pick(_FRENCH_STREETS, draw())}"
    return f"{int(draw() * 9000) + 100} {pick(_AMERICAN_STREETS, draw())}"


def phone_digits(place: Place, number: float) -> str:
    """An office number without the country's prefix: nine digits in France, ten in America."""
    if place.country == "FR":
        return f"19900{int(number * 10_000):04d}"
    return f"{place.area_code}55501{int(number * 100):02d}"


def mobile_digits(place: Place, number: float) -> str:
    """A mobile number without the country's prefix."""
    if place.country == "FR":
        return f"63998{int(number * 10_000):04d}"
    return f"{place.area_code}55501{int(number * 100):02d}"


def international(country: Country, digits: str) -> str:
    """The number as machines write it: `+33639981234`, `+14155550123`."""
    return f"+33{digits}" if country == "FR" else f"+1{digits}"


def as_typed(country: Country, digits: str, number: float) -> str:
    """The number in one of the ways in which people type it, chosen by `number` in [0, 1)."""
    if country == "FR":
        pairs = (digits[1:3], digits[3:5], digits[5:7], digits[7:9])
        if number < 0.5:
            return f"+33 {digits[0]} {' '.join(pairs)}"
        if number < 0.85:
            return f"0{digits[0]} {' '.join(pairs)}"
        return f"0{digits[0]}.{'.'.join(pairs)}"
    area, exchange, line = digits[:3], digits[3:6], digits[6:]
    if number < 0.5:
        return f"({area}) {exchange}-{line}"
    if number < 0.8:
        return f"+1 {area}-{exchange}-{line}"
    return f"{area}.{exchange}.{line}"


def _places(country: Country, cities: str) -> tuple[Place, ...]:
    rows = (row.strip() for row in cities.replace("\n", "").split("|"))
    if country == "FR":
        pairs = (row.rsplit(" ", 1) for row in rows)
        return tuple(Place(city, prefix, country) for city, prefix in pairs)
    triples = (row.rsplit(" ", 2) for row in rows)
    return tuple(Place(city, prefix, country, area) for city, prefix, area in triples)


_PLACES: dict[Country, tuple[Place, ...]] = {
    "FR": _places("FR", _FRENCH_CITIES),
    "US": _places("US", _AMERICAN_CITIES),
}
