"""First names and surnames of the synthetic world, the commonest first, and their spellings.

Names are drawn with Zipf-like weights, so that namesakes occur as often as they do in a real CRM.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from crm_sync.sandbox.world_random import Draw, pick

Country = Literal["FR", "US"]
Gender = Literal["f", "m"]

_FRENCH_WOMEN = """
Marie Nathalie Isabelle Sylvie Catherine Sophie Céline Valérie Sandrine Christine Stéphanie Julie
Aurélie Émilie Anne Camille Laurence Claire Véronique Delphine Caroline Hélène Virginie Élodie
Laetitia Karine Florence Audrey Pauline Corinne Mélanie Charlotte Anaïs Mathilde Agnès Manon Lucie
Béatrice Clémence Sarah Marion Estelle Amandine Juliette Cécile Magali Nadia Fatima Léa Chloé
Justine Inès Margaux Élisabeth Muriel Séverine Coralie Noémie Gaëlle Solène Aïcha Yasmine Maëlle
Anne-Sophie Marie-Laure Anne-Laure Marie-Claire Capucine Apolline Bérengère Ségolène Thaïs
"""
_FRENCH_MEN = """
Philippe Nicolas Christophe Laurent Frédéric Stéphane David Olivier Pierre Julien Thierry Sébastien
Thomas Vincent Éric Guillaume Alexandre Pascal Antoine Jérôme François Bruno Mathieu Didier Benoît
Maxime Franck Romain Arnaud Fabrice Cédric Patrice Emmanuel Hervé Xavier Gilles Yann Cyril Damien
Ludovic Grégory Fabien Mickaël Florian Clément Hugo Louis Baptiste Adrien Quentin Rémi Loïc Karim
Mehdi Rachid Samir Gérald Régis Joël Gaëtan Étienne Raphaël Théo Bastien Matthieu Yves Jean-Pierre
Jean-Marc Jean-François Pierre-Yves Jean-Christophe Marc-Antoine Aymeric Tanguy Hippolyte Côme
"""
_AMERICAN_WOMEN = """
Jennifer Mary Jessica Patricia Elizabeth Linda Sarah Karen Susan Lisa Amanda Ashley Emily Michelle
Melissa Stephanie Rebecca Laura Kimberly Nicole Amy Angela Rachel Megan Lauren Samantha Katherine
Christina Heather Deborah Danielle Brittany Cynthia Kathleen Pamela Andrea Julie Victoria Olivia
Maria Diana Natalie Erin Monica Carolyn Janet Allison Tiffany Vanessa Crystal Jasmine Alexis Paige
Brooke Kelsey Jamie Tara Gabriela Priya Mei Aaliyah Keisha Yolanda Guadalupe Fatima Grace Hannah
Abigail Chelsea Morgan Taylor Margaret Sonya Beatriz Leila
"""
_AMERICAN_MEN = """
Michael James John Robert David William Christopher Joseph Daniel Matthew Thomas Brian Kevin Steven
Andrew Joshua Richard Mark Jason Anthony Eric Jeffrey Timothy Ryan Nicholas Jonathan Charles Jacob
Scott Justin Brandon Benjamin Samuel Gregory Patrick Alexander Tyler Aaron Kyle Adam Nathan Zachary
Peter Jose Edward Kenneth Sean Jeremy Travis Carlos Derek Marcus Dustin Victor Luis Ethan Logan
Malik Darnell Raj Wei Hiroshi Omar Diego Trevor Garrett Spencer Colin Grant Wesley Mitchell Terrence
Douglas Philip Lawrence Gerald Ronald Donald
"""
_FRENCH_SURNAMES = """
Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefebvre Leroy
Roux David Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Vincent Muller
Lefèvre Faure André Mercier Blanc Guérin Boyer Garnier Chevalier François Legrand Gauthier Garcia
Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu Gautier Masson Marchand Duval Denis Dumont
Marie Lemaire Noël Meyer Dufour Meunier Brun Blanchard Giraud Joly Rivière Lucas Brunet Gaillard
Barbier Arnaud Martinez Gérard Roche Renard Schmitt Roy Leroux Colin Vidal Caron Picard Roger Fabre
Aubert Lemoine Renaud Dumas Lacroix Olivier Philippe Bourgeois Pierre Benoît Rey Leclerc Payet
Rolland Leclercq Guillaume Lecomte López Jean Dupuy Guillot Hubert Berger Carpentier Sánchez Dupuis
Moulin Louis Deschamps Huet Vasseur Pérez Boucher Fleury Royer Klein Jacquet Adam Paris Poirier
Marty Aubry Guyot Carré Charles Renault Charpentier Ménard Maillard Baron Bertin Bailly Hervé
Schneider Fernandez Collet Léger Bouvier Julien Prévost Millet Perrot Daniel Nguyen Traoré Benali
Le_Goff Le_Gall De_Oliveira Da_Silva Saint-Martin De_La_Tour L'Hermitte D'Hérouville Cœurdacier
"""
_AMERICAN_SURNAMES = """
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez
Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark
Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams
Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker
Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper
Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks Chavez Wood James
Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Jimenez
Powell Jenkins Perry Russell Sullivan Bell Coleman Butler Henderson Barnes Gonzales Fisher Vasquez
Simmons Romero Jordan Patterson Alexander Hamilton Graham Reynolds Griffin Wallace Moreno West Cole
Hayes Bryant Herrera Gibson Ellis Tran Medina Aguilar Stevens Murray Ford Castro Marshall Owens
O'Brien O'Connor D'Angelo McDonald McKenzie Van_Buren St._Clair De_Luca O'Neill Fitzgerald Okafor
"""
_NICKNAMES = {
    "Robert": "Bob", "William": "Bill", "Richard": "Rick", "James": "Jim", "Michael": "Mike",
    "Joseph": "Joe", "Thomas": "Tom", "Christopher": "Chris", "Matthew": "Matt", "Steven": "Steve",
    "Daniel": "Dan", "Andrew": "Andy", "Joshua": "Josh", "Anthony": "Tony", "Jeffrey": "Jeff",
    "Timothy": "Tim", "Nicholas": "Nick", "Charles": "Chuck", "Benjamin": "Ben", "Samuel": "Sam",
    "Gregory": "Greg", "Edward": "Ted", "Kenneth": "Ken", "Jennifer": "Jen", "Patricia": "Pat",
    "Elizabeth": "Liz", "Susan": "Sue", "Katherine": "Kate", "Rebecca": "Becky", "Kimberly": "Kim",
    "Deborah": "Debbie", "Pamela": "Pam", "Victoria": "Vicky", "Margaret": "Peggy",
    "Samantha": "Sam", "Frédéric": "Fred", "Alexandre": "Alex", "Sébastien": "Seb",
    "Stéphanie": "Steph", "Emmanuel": "Manu", "Christophe": "Chris",
    "Nathalie": "Nath", "Élisabeth": "Babeth", "Véronique": "Véro", "Jean-Pierre": "JP",
    "Jean-Marc": "JM", "Jean-François": "JF", "Jean-Christophe": "JC", "Pierre-Yves": "PY",
}  # fmt: skip
_JOINED_SURNAMES: dict[Country, float] = {"FR": 0.045, "US": 0.02}


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name as it is on their papers."""

    first: str
    last: str
    gender: Gender


def draw_name(country: Country, draw: Draw) -> Name:
    """A name that people of this country bear; takes four numbers from the stream."""
    gender: Gender = "f" if draw() < 0.44 else "m"
    first = pick(_FIRST[country, gender], draw())
    last = pick(_LAST[country], draw())
    joined = draw()
    if joined < _JOINED_SURNAMES[country]:
        other = pick(_LAST[country], joined / _JOINED_SURNAMES[country])
        last = f"{last}-{other}" if other != last else last
    return Name(first, last, gender)


def nickname(first_name: str) -> str:
    """What colleagues call somebody of this first name; the name itself where there is none."""
    return _NICKNAMES.get(first_name, first_name)


@lru_cache(maxsize=8192)
def unaccented(text: str) -> str:
    """The text in plain letters: `Cœur` gives `Coeur`, `Béatrice` gives `Beatrice`."""
    spelt = text.replace("œ", "oe").replace("Œ", "Oe")
    parts = unicodedata.normalize("NFKD", spelt)
    return "".join(part for part in parts if not unicodedata.combining(part))


@lru_cache(maxsize=8192)
def slug(text: str) -> str:
    """Lower-case plain letters, digits and hyphens, for addresses: `De La Tour` → `de-la-tour`."""
    plain = unaccented(text).lower().replace("'", "").replace(".", "")
    return "-".join(plain.replace("-", " ").split())


def _weighted(words: str) -> tuple[str, ...]:
    """The words, each as often as its rank deserves: the first about twenty times the last."""
    ranked = [word.replace("_", " ") for word in words.split()]
    return tuple(
        word for rank, word in enumerate(ranked) for _ in range(max(1, round(160 / (rank + 8))))
    )


_FIRST: dict[tuple[Country, Gender], tuple[str, ...]] = {
    ("FR", "f"): _weighted(_FRENCH_WOMEN),
    ("FR", "m"): _weighted(_FRENCH_MEN),
    ("US", "f"): _weighted(_AMERICAN_WOMEN),
    ("US", "m"): _weighted(_AMERICAN_MEN),
}
_LAST: dict[Country, tuple[str, ...]] = {
    "FR": _weighted(_FRENCH_SURNAMES),
    "US": _weighted(_AMERICAN_SURNAMES),
}
