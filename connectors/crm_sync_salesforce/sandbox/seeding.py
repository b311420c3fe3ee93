"""Fills an org with a synthetic world."""
# ruff: noqa: S608 - SQL is put together from our own names; values are always parameters

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from crm_sync.errors import UsageError
from crm_sync_salesforce.sandbox.catalog import text_field
from crm_sync_salesforce.sandbox.ids import make_id
from crm_sync_salesforce.sandbox.org import INTEGRATION_USER, Org, format_datetime
from crm_sync_salesforce.sandbox.values import Stored

if TYPE_CHECKING:
    from crm_sync.sandbox.world import World, WorldAccount, WorldColleague, WorldContact

_BATCH = 5000
WORLD_ID = "External_Id__c"
"""Where the ids of the world are kept."""
LINKEDIN = "LinkedIn_URL__c"
_LANGUAGES = {"fr": ("fr", "fr_FR"), "en": ("en_US", "en_US")}
Values = dict[str, Stored]


def seed_world(org: Org, world: World) -> Mapping[str, int]:
    """Insert a world's colleagues, accounts and contacts; rows per object.

    Raises `UsageError` when the database holds a world already.
    """
    try:
        with org.database.writing() as connection:
            fields = [(name, text_field(WORLD_ID)) for name in ("User", "Account", "Contact")]
            org.add_fields(connection, [*fields, ("Contact", text_field(LINKEDIN))])
            return _Seeder(org, connection).seed(world)
    except sqlite3.IntegrityError:
        org.reread()
        raise UsageError(
            "holds a seeded world already",
            place=str(org.database.path),
            fix="Name another database, or start without seeding.",
        ) from None
    except BaseException:
        org.reread()
        raise


class _Seeder:
    def __init__(self, org: Org, connection: sqlite3.Connection) -> None:
        self._sql = connection
        self._stamp = org.stamp()
        self._changed_at = org.changed_at()
        self._users: dict[str, str] = {}
        self._accounts: dict[str, str] = {}

    def seed(self, world: World) -> Mapping[str, int]:
        users = self._insert("User", "005", self._user_rows(world.colleagues()))
        accounts = self._insert("Account", "001", self._account_rows(world.accounts()))
        contacts = self._insert("Contact", "003", self._contact_rows(world.contacts()))
        return {"User": users, "Account": accounts, "Contact": contacts}

    def _user_rows(self, colleagues: Iterable[WorldColleague]) -> Iterator[Values]:
        for number, one in enumerate(colleagues, self._next("User")):
            language, locale = _LANGUAGES[one.language]
            self._users[one.id] = make_id("005", number)
            yield {
                "_row": number,
                WORLD_ID: one.id,
                "Username": one.email,
                "FirstName": one.first_name or None,
                "LastName": one.last_name,
                "Email": one.email,
                "IsActive": int(one.active),
                "UserType": "Standard",
                "LanguageLocaleKey": language,
                "LocaleSidKey": locale,
                "TimeZoneSidKey": "Europe/Paris" if language == "fr" else "UTC",
                **self._audit(self._stamp, self._stamp),
            }

    def _account_rows(self, accounts: Iterable[WorldAccount]) -> Iterator[Values]:
        for number, one in enumerate(accounts, self._next("Account")):
            self._accounts[one.id] = make_id("001", number)
            yield {
                "_row": number,
                WORLD_ID: one.id,
                "Name": one.name,
                "Website": f"https://www.{one.domain}" if one.domain else None,
                "Industry": one.industry or None,
                "BillingCity": one.city or None,
                "BillingCountry": one.country or None,
                "OwnerId": self._users.get(one.owner_id, INTEGRATION_USER),
                **self._audit(self._stamp, self._stamp),
            }

    def _contact_rows(self, contacts: Iterable[WorldContact]) -> Iterator[Values]:
        for number, one in enumerate(contacts, self._next("Contact")):
            activity = one.last_activity
            yield {
                "_row": number,
                WORLD_ID: one.id,
                "FirstName": one.first_name or None,
                "LastName": one.last_name,
                "Title": one.title or None,
                "AccountId": self._accounts.get(one.account_id),
                "OwnerId": self._users.get(one.owner_id, INTEGRATION_USER),
                "Email": one.email or None,
                "Phone": one.phone or None,
                "MobilePhone": one.mobile or None,
                LINKEDIN: one.linkedin_url or None,
                "MailingStreet": one.street or None,
                "MailingCity": one.city or None,
                "MailingPostalCode": one.postal_code or None,
                "MailingCountry": one.country or None,
                "LastActivityDate": activity.isoformat() if activity else None,
                **self._audit(_stored(one.created_at), _stored(one.modified_at)),
            }

    def _audit(self, created: str, modified: str) -> Values:
        return {
            "CreatedById": INTEGRATION_USER,
            "CreatedDate": created,
            "LastModifiedById": INTEGRATION_USER,
            "LastModifiedDate": modified,
            "SystemModstamp": modified,
            "_changed_at": self._changed_at,
        }

    def _next(self, table: str) -> int:
        sql = f'SELECT coalesce(max(_row), 0) + 1 FROM "{table}"'
        return int(self._sql.execute(sql).fetchone()[0])

    def _insert(self, table: str, prefix: str, rows: Iterator[Values]) -> int:
        count = 0
        while batch := list(islice(rows, _BATCH)):
            names = ["Id", *batch[0]]
            columns = ", ".join(f'"{name}"' for name in names)
            self._sql.executemany(
                f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join("?" * len(names))})',
                [(make_id(prefix, int(row["_row"] or 0)), *row.values()) for row in batch],
            )
            count += len(batch)
        return count


def _stored(moment: datetime) -> str:
    return format_datetime(moment)
