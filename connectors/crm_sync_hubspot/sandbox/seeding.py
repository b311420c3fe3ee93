"""Fills a portal with a synthetic world."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from crm_sync.errors import UsageError
from crm_sync_hubspot.sandbox.associations import PRIMARY_COMPANY, associate_at_once
from crm_sync_hubspot.sandbox.definitions import text_property
from crm_sync_hubspot.sandbox.portal import Portal, to_ms
from crm_sync_hubspot.sandbox.rows import Row, claim_at_once, holders, insert_at_once, next_ids

if TYPE_CHECKING:
    from crm_sync.sandbox.world import World, WorldAccount, WorldColleague, WorldContact

_BATCH = 5000
WORLD_ID = "external_id"
"""Where the ids of the world are kept."""
FIRST_OWNER = 50_000_001


def seed_world(portal: Portal, world: World) -> Mapping[str, int]:
    """Insert a world's colleagues, accounts and contacts; rows per kind.

    Raises `UsageError` when the database holds a world already.
    """
    key = replace(text_property(WORLD_ID), label="External ID", unique=True)
    try:
        with portal.database.writing() as sql:
            for kind in ("companies", "contacts"):
                portal.add_missing(sql, kind, [key])
            return _Seeder(portal, sql).seed(world)
    except sqlite3.IntegrityError:
        raise UsageError(
            "holds a seeded world already",
            place=str(portal.database.path),
            fix="Name another database, or start without seeding.",
        ) from None


class _Seeder:
    def __init__(self, portal: Portal, sql: sqlite3.Connection) -> None:
        self._sql = sql
        self._now = portal.now_ms()
        self._owners: dict[str, str] = {}
        self._companies: dict[str, tuple[int, str]] = {}

    def seed(self, world: World) -> Mapping[str, int]:
        owners = self._hire(world.colleagues())
        companies = self._insert("companies", map(self._company, world.accounts()))
        contacts = self._insert("contacts", map(self._contact, world.contacts()))
        return {"owners": owners, "companies": companies, "contacts": contacts}

    def _hire(self, colleagues: Iterable[WorldColleague]) -> int:
        first = next_owner(self._sql)
        rows = []
        for number, one in enumerate(colleagues, first):
            self._owners[one.id] = str(number)
            known = {
                "email": one.email,
                "firstName": one.first_name,
                "lastName": one.last_name,
                "userId": number,
            }
            rows.append((number, json.dumps(known, ensure_ascii=False), int(not one.active)))
        self._sql.executemany("INSERT INTO owner VALUES (?, ?, ?)", rows)
        return len(rows)

    def _company(self, one: WorldAccount) -> Row:
        values = {
            WORLD_ID: one.id,
            "name": one.name,
            "domain": one.domain,
            "website": f"https://www.{one.domain}" if one.domain else "",
            "industry": one.industry,
            "city": one.city,
            "country": one.country,
            "hubspot_owner_id": self._owners.get(one.owner_id, ""),
        }
        return _new("companies", values, self._now, self._now)

    def _contact(self, one: WorldContact) -> Row:
        company, name = self._companies.get(one.account_id, (None, ""))
        activity = f"{one.last_activity.isoformat()}T00:00:00Z" if one.last_activity else ""
        values = {
            WORLD_ID: one.id,
            "firstname": one.first_name,
            "lastname": one.last_name,
            "jobtitle": one.title,
            "company": name,
            PRIMARY_COMPANY: "" if company is None else str(company),
            "hubspot_owner_id": self._owners.get(one.owner_id, ""),
            "email": one.email,
            "phone": one.phone,
            "mobilephone": one.mobile,
            "hs_linkedin_url": one.linkedin_url,
            "address": one.street,
            "city": one.city,
            "zip": one.postal_code,
            "country": one.country,
            "notes_last_contacted": activity,
        }
        return _new("contacts", values, to_ms(one.created_at), to_ms(one.modified_at))

    def _insert(self, kind: str, rows: Iterator[Row]) -> int:
        count = 0
        while batch := list(islice(rows, _BATCH)):
            for number, row in enumerate(batch, next_ids(self._sql, len(batch))):
                row.id = number
            if kind == "contacts":
                self._keep_addresses_apart(batch)
            insert_at_once(self._sql, batch)
            self._claim(kind, WORLD_ID, batch)
            if kind == "contacts":
                self._claim(kind, "email", batch)
                self._associate(batch)
            else:
                self._remember(batch)
            count += len(batch)
        return count

    def _keep_addresses_apart(self, batch: Iterable[Row]) -> None:
        """Leave an address to the first contact that has it: a portal has each address once."""
        rows = list(batch)
        given = [one for row in rows if (one := row.properties.get("email"))]
        seen = set(holders(self._sql, "contacts", "email", given))
        for row in rows:
            address = (row.properties.get("email") or "").casefold()
            if address in seen:
                row.properties["email"] = None
            elif address:
                seen.add(address)

    def _claim(self, kind: str, name: str, batch: Iterable[Row]) -> None:
        pairs = [(value, row.id) for row in batch if (value := row.properties.get(name))]
        claim_at_once(self._sql, kind, name, pairs)

    def _associate(self, batch: Iterable[Row]) -> None:
        pairs = [
            (row.id, int(company))
            for row in batch
            if (company := row.properties.get(PRIMARY_COMPANY))
        ]
        associate_at_once(self._sql, "contacts", "companies", pairs, as_primary=True)

    def _remember(self, batch: Iterable[Row]) -> None:
        for row in batch:
            world_id, name = row.properties[WORLD_ID], row.properties.get("name")
            self._companies[str(world_id)] = (row.id, name or "")


def next_owner(sql: sqlite3.Connection) -> int:
    """An id that no owner has, the first of as many as are wanted."""
    (last,) = sql.execute("SELECT max(id) FROM owner").fetchone()
    return max(FIRST_OWNER, int(last or 0) + 1)


def _new(kind: str, values: Mapping[str, str], created_ms: int, updated_ms: int) -> Row:
    properties: dict[str, str | None] = {name: value for name, value in values.items() if value}
    return Row(kind, 0, properties, created_ms, updated_ms)
