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

START, LATER = "2025-06-01", "2026-06-01"
RATES = {
    "moved": 25, "retitled": 8, "absent": 15, "linkedin": 30, "email": 75, "private_email": 15,
    "mobile": 20, "last_name_typo": 3, "employer_typo": 3, "legal_form": 20, "stale_profile": 10,
    "profile_linkedin": 90, "profile_private_email": 40, "profile_work_email": 60,
    "profile_mobile": 25, "no_domain": 10, "no_start": 3,
}  # fmt: skip
"""In percent."""

FIRST_SYLLABLES = (
    "an be ca da el fa ga ha is jo ka lu ma ni ol pa ra sa te vi ya ze cé lé hé".split()
)
LAST_SYLLABLES = (
    "bar cor dan fer gal hol jan kel lam mor nar pel ros sal tor val wen bri cho dre "
    "fon gri lou mel pru ren sta tri vau"
).split()
COMPANY_WORDS = (
    "Nor Alt Bel Cim Dor Eva Fab Gil Hub Inn Jur Kap Lum Mag Nex Orb Pix Qua Rev Syl".split()
)
TITLES = [
    (f"{rank}{area}{tail}", f"{area}".strip())
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
    db = duckdb.connect(config={"temp_directory": str(folder / "spill"), "threads": 2})
    try:
        db.execute("SET memory_limit = '6GB'; SET preserve_insertion_order = false")
        _words(db)
        _macros(db, seed, contacts)
        people = profiles + contacts * RATES["absent"] // 100
        db.execute(_PEOPLE, {"people": max(people, contacts)})
        db.execute(f"SET VARIABLE contacts = {contacts}; SET VARIABLE profiles = {profiles}")
        db.execute(f"COPY ({_CONTACTS}) TO '{folder}/contact.parquet'")
        db.execute(f"COPY ({_ACCOUNTS}) TO '{folder}/account.parquet'")
        for name, changed in (("profiles", 0), ("changed", 1)):
            db.execute(f"SET VARIABLE changed = {changed}")
            db.execute(f"COPY ({_PROFILES}) TO '{folder}/{name}.parquet' (ROW_GROUP_SIZE 100000)")
    finally:
        db.close()


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


def _words(db: duckdb.DuckDBPyConnection) -> None:
    for name, words in (
        ("first_syllable", FIRST_SYLLABLES),
        ("last_syllable", LAST_SYLLABLES),
        ("company_word", COMPANY_WORDS),
    ):
        db.execute(f"SET VARIABLE {name} = $words", {"words": words})
    db.execute("SET VARIABLE title = $t", {"t": [title for title, _ in TITLES]})


def _macros(db: duckdb.DuckDBPyConnection, seed: int, contacts: int) -> None:
    companies = max(50, contacts // 12)
    db.execute(f"""
        CREATE MACRO dice(i, what) AS (hash(i, what, {seed}) % 1000003) / 1000003.0;
        CREATE MACRO chance(i, what, percent) AS dice(i, what) * 100 < percent;
        -- Zipf-Mandelbrot: the k-th commonest has a share of about 1 / (k + a)
        CREATE MACRO rank_of(i, what, kinds, a) AS
            least(kinds - 1, floor(a * (pow((kinds + a) / a, dice(i, what)) - 1)))::BIGINT;
        CREATE MACRO syllable(list, n) AS list[1 + (n % len(list))::BIGINT];
        CREATE MACRO capital(t) AS upper(left(t, 1)) || t[2:];
        CREATE MACRO first_of(k) AS capital(
            syllable(getvariable('first_syllable'), k * 7 + 3)
            || syllable(getvariable('first_syllable'), k // 25 * 11 + k)
            || CASE WHEN k > 300 THEN syllable(getvariable('first_syllable'), k // 7) ELSE '' END
            || CASE k % 3 WHEN 0 THEN 'ne' WHEN 1 THEN 's' ELSE 'l' END);
        CREATE MACRO last_of(k) AS CASE WHEN k % 23 = 0 THEN 'de ' ELSE '' END || capital(
            syllable(getvariable('last_syllable'), k)
            || syllable(getvariable('last_syllable'), k // 29 + 5)
            || CASE WHEN k >= 841 THEN syllable(getvariable('last_syllable'), k // 841 + 11) ELSE '' END
            || CASE WHEN k >= 24389 THEN syllable(getvariable('last_syllable'), k // 24389 + 2) ELSE '' END
            || CASE k % 4 WHEN 0 THEN 'in' WHEN 1 THEN 'ot' WHEN 2 THEN 'er' ELSE '' END);
        CREATE MACRO company_of(k) AS
            syllable(getvariable('company_word'), k)
            || lower(syllable(getvariable('company_word'), k // 20 + 7))
            || lower(syllable(getvariable('company_word'), k // 400 + 3))
            || CASE WHEN k >= 8000 THEN ' ' || syllable(getvariable('company_word'), k // 8000) ELSE '' END
            || CASE k % 5 WHEN 0 THEN ' Conseil' WHEN 1 THEN ' Industries' ELSE '' END;
        CREATE MACRO domain_of(k) AS lower(replace(company_of(k), ' ', '-')) || k % 9 || '.example';
        CREATE MACRO company_rank(i, what) AS rank_of(i, what, {companies}, 50.0);
        CREATE MACRO typo(t) AS left(t, 2) || substr(t, 4, 1) || substr(t, 3, 1) || substr(t, 5);
        CREATE MACRO ascii(t) AS replace(replace(strip_accents(lower(t)), ' ', ''), '''', '');
        CREATE MACRO work_address(first, last, company) AS
            ascii(first) || '.' || ascii(last) || '@' || domain_of(company);
        CREATE MACRO private_address(i, first, last) AS
            ascii(first) || '.' || ascii(last) || i || '@gmail.com';
        CREATE MACRO page_of(i, first, last) AS
            'https://www.linkedin.com/in/' || ascii(first) || '-' || ascii(last) || '-' || i;
        CREATE MACRO a_title(i, what) AS getvariable('title')[1 + (hash(i, what, {seed}) % len(getvariable('title')))::BIGINT];
        CREATE MACRO day(i, what, since, days) AS (since::DATE + (hash(i, what, {seed}) % days)::INTEGER);
    """)


_PEOPLE = f"""
    CREATE TABLE person AS
    SELECT
        i,
        first_of(rank_of(i, 'first', 3000, 15.0)) AS first,
        last_of(rank_of(i, 'last', 60000, 20.0)) AS last,
        company_rank(i, 'before') AS before,
        company_rank(i, 'now') AS now,
        company_rank(i, 'after') AS after,
        a_title(i, 't0') AS title_before, a_title(i, 't1') AS title_now, a_title(i, 't2') AS title_after,
        chance(i, 'moved', {RATES["moved"]}) AS moved,
        chance(i, 'retitled', {RATES["retitled"]}) AS retitled,
        day(i, 'd0', '2012-01-01', 2000) AS since_before,
        day(i, 'd1', '2018-01-01', 2600) AS since_now,
        day(i, 'd2', '2025-06-15', 330) AS changed_on,
        syllable(getvariable('company_word'), (hash(i, 'city') % 400 // 20)::BIGINT)
            || lower(syllable(getvariable('last_syllable'), (hash(i, 'city') % 400)::BIGINT)) || 'ville' AS city
    FROM range($people) AS r(i)
"""

_CONTACTS = f"""
    SELECT '003' || lpad(i::VARCHAR, 15, '0') AS id, to_json(struct_pack(
        "FirstName" := first,
        "LastName" := CASE WHEN chance(i, 'typo', {RATES["last_name_typo"]}) THEN typo(last) ELSE last END,
        "Title" := title_now,
        "Email" := CASE WHEN chance(i, 'email', {RATES["email"]}) THEN
            CASE WHEN chance(i, 'private', {RATES["private_email"]}) THEN private_address(i, first, last)
                ELSE work_address(first, last, now) END END,
        "MobilePhone" := CASE WHEN chance(i, 'mobile', {RATES["mobile"]})
            THEN '+336' || lpad((i % 100000000)::VARCHAR, 8, '0') END,
        "LinkedIn_URL__c" := CASE WHEN chance(i, 'linkedin', {RATES["linkedin"]}) THEN page_of(i, first, last) END,
        "MailingCity" := city, "MailingCountry" := 'France',
        "AccountId" := '001' || lpad(now::VARCHAR, 15, '0'),
        "OwnerId" := '005' || lpad((i % 200)::VARCHAR, 15, '0'),
        "CreatedDate" := '{START}T08:00:00.000+0000', "LastModifiedDate" := '{START}T08:00:00.000+0000'
    ))::VARCHAR AS fields, '{START}T08:00:00.000000+00:00' AS modified
    FROM person WHERE i < getvariable('contacts')
"""

_ACCOUNTS = f"""
    SELECT '001' || lpad(k::VARCHAR, 15, '0') AS id, to_json(struct_pack(
        "Name" := CASE WHEN chance(k, 'typo', {RATES["employer_typo"]}) THEN typo(company_of(k)) ELSE company_of(k) END
            || CASE WHEN chance(k, 'form', {RATES["legal_form"]}) THEN ' SAS' ELSE '' END,
        "Website" := CASE WHEN NOT chance(k, 'nodomain', {RATES["no_domain"]}) THEN 'https://www.' || domain_of(k) END,
        "OwnerId" := '005' || lpad((k % 200)::VARCHAR, 15, '0')
    ))::VARCHAR AS fields, '{START}T08:00:00.000000+00:00' AS modified
    FROM (SELECT DISTINCT now AS k FROM person)
"""

_PROFILES = f"""
    WITH seen AS (
        SELECT *,
            getvariable('changed') = 1 AND chance(i, 'changed', 1) AS is_changed,
            chance(i, 'stale', {RATES["stale_profile"]}) AS is_stale
        FROM person
        WHERE NOT (i < getvariable('contacts') AND chance(i, 'absent', {RATES["absent"]}))
    ),
    known AS (
        SELECT *, moved AND (NOT is_stale OR is_changed) AS shows_move,
            retitled AND NOT moved AND (NOT is_stale OR is_changed) AS shows_title
        FROM seen
    )
    SELECT
        'p' || i AS id,
        lower(first || ' ' || last) AS full_name, lower(first) AS first_name, lower(last) AS last_name,
        CASE WHEN chance(i, 'pwork', {RATES["profile_work_email"]})
            THEN work_address(first, last, CASE WHEN shows_move THEN after ELSE now END) END AS work_email,
        CASE WHEN chance(i, 'pprivate', {RATES["profile_private_email"]})
            THEN [private_address(i, first, last)] ELSE [] END AS personal_emails,
        CASE WHEN chance(i, 'plinkedin', {RATES["profile_linkedin"]}) THEN page_of(i, first, last) END AS linkedin_url,
        CASE WHEN chance(i, 'pmobile', {RATES["profile_mobile"]})
            THEN '+336' || lpad((i % 100000000)::VARCHAR, 8, '0') END AS mobile_phone,
        lower(city) AS location_locality, 'france' AS location_country,
        strftime(CASE WHEN is_changed THEN DATE '{LATER}' WHEN is_stale THEN DATE '2025-05-01'
            ELSE day(i, 'verified', '2026-05-01', 30) END, '%Y-%m-%d') AS job_last_verified,
        list_filter([
            CASE WHEN chance(i, 'first job', 60) THEN struct_pack(
                company := struct_pack(name := lower(company_of(before)), website := domain_of(before), id := 'c' || before),
                title := struct_pack(name := lower(title_before)),
                start_date := strftime(since_before, '%Y-%m'), end_date := strftime(since_now, '%Y-%m'),
                is_primary := FALSE) END,
            struct_pack(
                company := struct_pack(name := lower(company_of(now)),
                    website := CASE WHEN NOT chance(now, 'vendor domain', {RATES["no_domain"]}) THEN domain_of(now) END,
                    id := 'c' || now),
                title := struct_pack(name := lower(title_now)),
                start_date := strftime(since_now, '%Y-%m'),
                end_date := CASE WHEN shows_move OR shows_title THEN strftime(changed_on, '%Y-%m') END,
                is_primary := NOT (shows_move OR shows_title)),
            CASE WHEN shows_move OR shows_title THEN struct_pack(
                company := struct_pack(
                    name := lower(company_of(CASE WHEN shows_move THEN after ELSE now END)),
                    website := domain_of(CASE WHEN shows_move THEN after ELSE now END),
                    id := 'c' || CASE WHEN shows_move THEN after ELSE now END),
                title := struct_pack(name := lower(title_after)),
                start_date := CASE WHEN NOT chance(i, 'nostart', {RATES["no_start"]})
                    THEN strftime(changed_on, '%Y-%m') END,
                end_date := NULL, is_primary := TRUE) END
        ], lambda e: e IS NOT NULL) AS experience
    FROM known
    WHERE i < getvariable('profiles') + getvariable('contacts') * {RATES["absent"]} // 100
"""
