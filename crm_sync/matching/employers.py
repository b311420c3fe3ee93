"""Hosts to registrable domains, and first names to their familiar forms."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from crm_sync.matching.words import FREE_MAIL_DOMAINS, SHARED_HOSTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from duckdb import DuckDBPyConnection

_NO_COMPANYS = frozenset((*FREE_MAIL_DOMAINS, *SHARED_HOSTS))


def add_sites(db: DuckDBPyConnection, hosts: str) -> None:
    """Fill `site(host, domain)` with the hosts that the query `hosts` gives, each once.

    `domain` is the registrable domain, or null for sites on which many companies or people have a
    page. Works offline, from the public suffixes that tldextract carries.
    """
    import pyarrow as pa

    db.execute("CREATE TEMP TABLE IF NOT EXISTS site (host VARCHAR, domain VARCHAR)")
    found = db.sql(
        f"SELECT DISTINCT host FROM ({hosts}) AS asked(host) "  # noqa: S608 - a query of ours
        "WHERE host IS NOT NULL AND host NOT IN (SELECT site.host FROM site)"
    ).to_arrow_table()
    names = found.column(0).to_pylist()
    known = pa.table({"host": names, "domain": [registrable_domain(name) for name in names]})
    known = known.cast(pa.schema([("host", pa.string()), ("domain", pa.string())]))
    db.register("known_site", known)
    db.execute("INSERT INTO site SELECT host, domain FROM known_site")
    db.unregister("known_site")


def registrable_domain(host: str) -> str | None:
    """`shop.acme.co.uk` is `acme.co.uk`; None for free mail and for pages on shared sites."""
    domain = host if host.count(".") == 1 else _extract()(host) or host
    return None if domain in _NO_COMPANYS else domain


def add_nicknames(db: DuckDBPyConnection) -> None:
    """Fill `nickname(name, others)`: familiar forms of English first names, both ways."""
    import pyarrow as pa
    from nicknames import name_triplets

    others: dict[str, set[str]] = {}
    for triplet in name_triplets():
        one, other = triplet.name1.lower(), triplet.name2.lower()
        others.setdefault(one, set()).add(other)
        others.setdefault(other, set()).add(one)
    names = sorted(others)
    table = pa.table({"name": names, "others": [sorted(others[name]) for name in names]})
    db.register("known_nickname", table)
    db.execute("CREATE OR REPLACE TEMP TABLE nickname AS SELECT name, others FROM known_nickname")
    db.unregister("known_nickname")


@cache
def _extract() -> Callable[[str], str]:
    import tldextract

    extract = tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True
    )
    return lambda host: extract(host).top_domain_under_public_suffix
