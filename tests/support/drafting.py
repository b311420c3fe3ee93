"""A small judged store of which plans are drafted, under settings that a test may change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crm_sync.config import Connection, load_config
from crm_sync.mapping import Mapping, load_mapping
from crm_sync.model import Entity, Plan
from crm_sync.planning.inputs import SourceCount
from crm_sync.planning.playbooks import Playbooks, load_playbooks
from crm_sync.progress import Progress, silent
from crm_sync.stages import draft
from crm_sync.stages.judge import Judged
from crm_sync.stages.pull import Unread
from crm_sync.store.database import Store

SHIPPED = Path(__file__).parents[2] / "mappings"
NAME = "crm"
CONTACTS = tuple(f"003{n}" for n in range(6))
ACCOUNTS = ("001A", "001B", "001C")
COLLEAGUES = ("005A", "005B")
MONDAY = datetime(2026, 6, 15, 9, tzinfo=UTC)
CONFIG = """
connections:
  crm:
    connector: salesforce
    instance_url: http://127.0.0.1:1
    auth: {flow: session_id, session_id: x}
    mapping: MAPPING
    mode: review
    enrichment: [vendor]
enrichment:
  vendor: {source: file, path: x.csv, mapping: y.yaml}
"""


class Crm:
    """All that planning asks of a CRM."""

    def url(self, entity: Entity, id: str) -> str:
        return f"https://crm.example/{entity.value}/{id}"


@dataclass
class World:
    """A judged store, and the settings that it is planned under."""

    store: Store
    connection: Connection
    mapping: Mapping
    playbooks: Playbooks
    now: datetime = MONDAY
    unread: tuple[Unread, ...] = ()

    def plan(self, *, reuse: bool, progress: Progress = silent) -> Plan:
        return draft.draft_plan(
            self.store,
            self.connection,
            self.mapping,
            self.playbooks,
            Crm(),  # type: ignore[arg-type]
            Judged({"contacts": 6}, {"vendor": SourceCount(9, 9)}, {}),
            now=self.now,
            unread=self.unread,
            reuse=reuse,
            progress=progress,
        )

    def do(self, statement: str, *values: Any) -> None:
        with self.store.begin() as tx:
            tx.exec_driver_sql(statement, values)

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.store.read() as tx:
            return [tuple(row) for row in tx.exec_driver_sql(statement, values)]

    def settings(self, **changed: Any) -> None:
        given = self.connection.settings.model_copy(update=changed)
        self.connection = replace(self.connection, settings=given)

    def field(self, id: str, **changed: Any) -> None:
        [(fields,)] = self.ask("SELECT fields FROM record WHERE id = ?", id)
        text = json.dumps(json.loads(fields) | changed)
        self.do("UPDATE record SET fields = ? WHERE id = ?", text, id)


def fill(store: Store) -> None:
    contacts = {
        id: {
            "FirstName": "Claire",
            "LastName": f"Sample {id}",
            "Title": "Sales Manager",
            "AccountId": ACCOUNTS[n % 2],
            "OwnerId": COLLEAGUES[n % 2],
            "Crm_Sync_Moved__c": False,
        }
        for n, id in enumerate(CONTACTS)
    }
    accounts = {id: {"Name": f"Company {id}", "OwnerId": "005B"} for id in ACCOUNTS}
    people = {
        id: {"Name": f"Colleague {id}", "IsActive": True, "LanguageLocaleKey": "fr"}
        for id in COLLEAGUES
    }
    with store.begin() as tx:
        for entity, held in (("contact", contacts), ("account", accounts), ("colleague", people)):
            for id, fields in held.items():
                tx.exec_driver_sql(
                    "INSERT INTO record (connection, entity, id, fields, seen_at) "
                    "VALUES (?, ?, ?, ?, '2026-06-01')",
                    (NAME, entity, id, json.dumps(fields)),
                )
        for n, id in enumerate(CONTACTS):
            evidence = [{"rule": "linkedin", "detail": f"Same page {n}", "source": "vendor"}]
            tx.exec_driver_sql(
                "INSERT INTO job_change (connection, contact_id, kind, confidence, band, since, "
                "as_of, from_title, from_organisation, to_title, to_organisation, source, "
                "profile_id, evidence, rule) VALUES (?, ?, ?, 0.97, 'auto', '2026-05-01', "
                "'2026-06-01', 'Sales Manager', 'Vexalor', 'Head of Sales', ?, 'vendor', 'p', ?, "
                "'linkedin')",
                (NAME, id, ("moved", "retitled", "left")[n % 3], f"Company {ACCOUNTS[2]}",
                 json.dumps(evidence)),
            )  # fmt: skip


def make_template(folder: Path) -> Path:
    """A folder with a judged store and its configuration, for `world_of` to copy."""
    store = Store.open(folder / "crm-sync.db")
    fill(store)
    store.close()
    (folder / "config.yaml").write_text(
        CONFIG.replace("MAPPING", str(SHIPPED / "salesforce.yaml")), encoding="utf-8"
    )
    return folder


@contextmanager
def world_of(template: Path) -> Iterator[World]:
    with TemporaryDirectory() as folder:
        shutil.copy(template / "crm-sync.db", folder)
        store = Store.open(Path(folder) / "crm-sync.db")
        try:
            config = load_config(template / "config.yaml")
            yield World(
                store,
                config.connection(NAME),
                load_mapping(SHIPPED / "salesforce.yaml"),
                load_playbooks(SHIPPED / "playbooks.yaml"),
            )
        finally:
            store.close()
