"""The benchmark's synthetic world as the judgement takes it, in any size."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from bench.scale_world import LATER, make
from crm_sync.enrichment.file import FileSource, open_source
from tests.support.project import ROOT

NOW = datetime.combine(date.fromisoformat(LATER), datetime.min.time(), UTC)

CONTACTS = """
    SELECT c.id AS contact_id, c.fields->>'FirstName' AS first_name,
        c.fields->>'LastName' AS last_name, c.fields->>'Title' AS title,
        c.fields->>'Email' AS email, c.fields->>'MobilePhone' AS mobile,
        c.fields->>'LinkedIn_URL__c' AS linkedin_url, c.fields->>'MailingCity' AS city,
        c.fields->>'MailingCountry' AS country, a.fields->>'Name' AS organisation,
        a.fields->>'Website' AS organisation_domain,
        CAST(c.modified AS TIMESTAMPTZ) AS changed_at, 'record_date' AS changed_basis
    FROM read_parquet($contact) c JOIN read_parquet($account) a ON a.id = c.fields->>'AccountId'
    ORDER BY c.id
"""


def world(folder: Path, contacts: int, profiles: int) -> tuple[pa.Table, FileSource]:
    """So many contacts, and a delivery of so many profiles in `folder`."""
    make(folder, contacts, profiles)
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        files = {name: str(folder / f"{name}.parquet") for name in ("contact", "account")}
        table = db.sql(CONTACTS, params=files).to_arrow_table()
    mapping = ROOT / "mappings" / "people_data_labs.yaml"
    return table, open_source("vendor", "profiles.parquet", mapping, NOW.date(), folder)
