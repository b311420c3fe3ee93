"""A large synthetic CRM and a vendor's delivery, made in DuckDB from a seed, for `match_scale.py`.

Everything is plainly synthetic: names are made of syllables, domains stand under `.example`. What
is realistic are the shapes: names and employers by Zipf's law (the commonest last name has 0.6 % of
people, the largest employer 0.2 %), 25 % of the contacts changed employer since they were typed,
8 % more their title, 15 % are not in the delivery, 30 % have a LinkedIn page in the CRM and 75 % an
e-mail address (one in seven a private one), 3 % of last names and employers are mistyped, and a
vendor leaves out a domain here and a start date there. The rates stand in `RATES`.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb

STATEMENTS = Path(__file__).with_suffix(".sql")
START, LATER = "2025-06-01", "2026-06-01"
RATES = {
    "moved": 25, "retitled": 8, "absent": 15, "linkedin": 30, "email": 75, "private_email": 15,
    "mobile": 20, "last_name_typo": 3, "employer_typo": 3, "legal_form": 20, "stale_profile": 10,
    "profile_linkedin": 90, "profile_private_email": 40, "profile_work_email": 60,
    "profile_mobile": 25, "no_domain": 10, "no_start": 3,
}  # fmt: skip
"""In percent."""


def _each(text: str) -> list[str]:
    return text.split()


FIRST_SYLLABLES = _each(
    "an be ca da el fa ga ha is jo ka lu ma ni ol pa ra sa te vi ya ze cé lé hé"
)
LAST_SYLLABLES = _each(
    "bar cor dan fer gal hol jan kel lam mor nar pel ros sal tor val wen bri cho dre "
    "fon gri lou mel pru ren sta tri vau"
)
COMPANY_WORDS = _each(
    "Nor Alt Bel Cim Dor Eva Fab Gil Hub Inn Jur Kap Lum Mag Nex Orb Pix Qua Rev Syl"
)
TITLES = [
    f"{rank}{area}{tail}"
    for rank, tail in [
        ("", " Manager"), ("Senior ", " Manager"), ("Director of ", ""), ("VP ", ""),
        ("Head of ", ""), ("", " Analyst"), ("Senior ", " Analyst"), ("Responsable ", ""),
        ("Directeur ", ""), ("Directrice ", ""), ("Chargée de ", ""), ("", " Specialist"),
    ]
    for area in [
        "Sales", "Marketing", "Finance", "Operations", "Product", "Engineering", "Purchasing",
        "Logistics", "Quality", "Data", "Legal", "Communication", "Support", "Training",
        "Research", "Security", "Treasury", "Audit", "Design", "Planning",
    ]
]  # fmt: skip


def make(folder: Path, contacts: int, profiles: int, seed: int = 1) -> None:
    """Write `contact.parquet`, `account.parquet`, `profiles.parquet` and `changed.parquet`.

    `changed.parquet` is the delivery again with one profile in a hundred changed.
    """
    people = max(profiles + contacts * RATES["absent"] // 100, contacts)
    variables = {
        "seed": seed,
        "contacts": contacts,
        "profiles": profiles,
        "people": people,
        "companies": max(50, contacts // 12),
        "start": START,
        "later": LATER,
        "first_syllable": FIRST_SYLLABLES,
        "last_syllable": LAST_SYLLABLES,
        "company_word": COMPANY_WORDS,
        "title": TITLES,
    }
    settings = {"temp_directory": str(folder / "spill"), "threads": 2, "memory_limit": "6GB"}
    with duckdb.connect(config={**settings, "preserve_insertion_order": False}) as db:
        for name, value in variables.items():
            db.execute(f"SET VARIABLE {name} = $value", {"value": value})
        rates = ", ".join(f"'{name}': {percent}" for name, percent in RATES.items())
        db.execute(f"SET VARIABLE rates = MAP {{{rates}}}")
        db.execute(STATEMENTS.read_text(encoding="utf-8"))
        for name in ("contact", "account"):
            db.execute(f"COPY (FROM {name}) TO '{folder}/{name}.parquet'")
        for name, changed in (("profiles", 0), ("changed", 1)):
            db.execute(f"SET VARIABLE changed = {changed}")
            db.execute(f"COPY (FROM profile) TO '{folder}/{name}.parquet' (ROW_GROUP_SIZE 100000)")


def fill_store(folder: Path, path: Path, connection: str) -> None:
    """Put the contacts and accounts into a database of the product, as a pull would have."""
    source = duckdb.connect()
    with sqlite3.connect(path) as target:
        target.execute("PRAGMA synchronous = OFF")
        for entity in ("contact", "account"):
            cursor = source.execute(f"SELECT id, fields, modified FROM '{folder}/{entity}.parquet'")
            while rows := cursor.fetchmany(50_000):
                target.executemany(
                    "INSERT INTO record (connection, entity, id, fields, modified_at, "
                    "first_modified_at, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(connection, entity, id, fields, at, at, at) for id, fields, at in rows],
                )
        colleagues = [
            (connection, "colleague", f"005{n:015d}",
             f'{{"Name":"Colleague {n}","IsActive":true,"Email":"c{n}@us.example"}}',
             START, START, START)
            for n in range(200)
        ]  # fmt: skip
        target.executemany(
            "INSERT INTO record (connection, entity, id, fields, modified_at, first_modified_at, "
            "seen_at) VALUES (?, ?, ?, ?, ?, ?, ?)", colleagues,
        )  # fmt: skip
    source.close()
