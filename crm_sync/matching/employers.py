"""Hosts to registrable domains, and first names to their familiar forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_sync.normalise.person_words import french_nicknames
from crm_sync.normalise.points import registrable_domain

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def add_sites(db: DuckDBPyConnection, hosts: str) -> None:
    """Fill `site(host, domain)` with the hosts that the query `hosts` gives, each once.

    `domain` is the registrable domain, or null for sites on which many companies or people have a
    page. Works offline, from the public suffixes that tldextract carries.
    """
    import pyarrow as pa

    db.execute("CREATE TEMP TABLE IF NOT EXISTS site (host VARCHAR, domain VARCHAR)")
    found = db.sql(
        # Materialized: the planner would look at every row's host before it makes them distinct.
        f"WITH asked(host) AS MATERIALIZED ({hosts}) SELECT DISTINCT host FROM asked "  # noqa: S608 - a query of ours
        "WHERE host IS NOT NULL AND host NOT IN (SELECT site.host FROM site)"
    ).to_arrow_table()
    names = found.column(0).to_pylist()
    known = pa.table({"host": names, "domain": [registrable_domain(name) for name in names]})
    known = known.cast(pa.schema([("host", pa.string()), ("domain", pa.string())]))
    db.register("known_site", known)
    db.execute("INSERT INTO site SELECT host, domain FROM known_site")
    db.unregister("known_site")


def add_nicknames(db: DuckDBPyConnection) -> None:
    """Fill `nickname(name, others)`: familiar forms of English and French first names."""
    import pyarrow as pa
    from nicknames import name_triplets

    others: dict[str, set[str]] = {}
    english = ((some.name1.lower(), some.name2.lower()) for some in name_triplets())
    french = ((short, name) for short, all in french_nicknames().items() for name in all)
    for one, other in (*english, *french):
        others.setdefault(one, set()).add(other)
        others.setdefault(other, set()).add(one)
    names = sorted(others)
    table = pa.table({"name": names, "others": [sorted(others[name]) for name in names]})
    db.register("known_nickname", table)
    db.execute("CREATE OR REPLACE TEMP TABLE nickname AS SELECT name, others FROM known_nickname")
    db.unregister("known_nickname")
