"""The state that all end points of a Salesforce sandbox share."""
# ruff: noqa: S608 - SQL is put together from our own names; values are always parameters

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crm_sync.sandbox.calls import Calls
from crm_sync.sandbox.database import Database
from crm_sync_salesforce.sandbox.catalog import Catalog, add_field, create_tables, read_catalog
from crm_sync_salesforce.sandbox.fields import Field, ObjectType
from crm_sync_salesforce.sandbox.ids import make_id
from crm_sync_salesforce.sandbox.objects import INTEGRATION_USER_NUMBER
from crm_sync_salesforce.sandbox.problems import ApiProblem, not_found
from crm_sync_salesforce.sandbox.rowfaults import RowFaults

DAILY_CALLS = 100_000
INTEGRATION_USER = make_id("005", INTEGRATION_USER_NUMBER)
ORGANIZATION = make_id("00D", 1)


class Allowance:
    """The daily allowance of calls; counts from the start of the process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self.used = 0
        self.daily = DAILY_CALLS

    def use(self) -> None:
        """Count one call. Raises `ApiProblem` 403 when the allowance is used up."""
        with self._guard:
            if self.used >= self.daily:
                raise ApiProblem(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            self.used += 1

    def header(self) -> dict[str, str]:
        """The header that tells how much is used."""
        return {"Sforce-Limit-Info": f"api-usage={self.used}/{self.daily}"}


class Org:
    """One org: its database, its objects, its clock and its allowance."""

    def __init__(self, path: Path, calls: Calls) -> None:
        self.database = Database(path, "salesforce", "_fields")
        self.calls = calls
        self.allowance = Allowance()
        self.row_faults = RowFaults()
        self.clock_offset = timedelta()
        with self.database.writing() as connection:
            create_tables(connection)
            self._catalog: Catalog = read_catalog(connection)
            _found(connection, self.stamp(), self.changed_at())

    @property
    def catalog(self) -> Catalog:
        """Every object by its lower-case name."""
        return self._catalog

    def object(self, name: str) -> ObjectType:
        """The object of that name. Raises the 404 that a path with an unknown object gets."""
        found = self._catalog.get(name.lower())
        if found is None:
            raise not_found()
        return found

    def add_fields(
        self, connection: sqlite3.Connection, extras: Iterable[tuple[str, Field]]
    ) -> None:
        """Add the fields that are not there yet; unknown objects are passed over.

        The catalog is replaced at once, so add fields in transactions that then succeed, or call
        `reread` when one does not.
        """
        catalog = dict(self._catalog)
        for name, extra in extras:
            target = catalog.get(name.lower())
            if target is not None and extra.name.lower() not in target.fields:
                catalog[name.lower()] = add_field(connection, target, extra)
        self._catalog = catalog

    def redefine(self, object_name: str, field: Field) -> None:
        """Replace the definition of a field that is there."""
        with self.database.writing() as connection:
            target = add_field(connection, self.object(object_name), field)
            self._catalog = {**self._catalog, target.name.lower(): target}

    def reread(self) -> None:
        """Take the catalog from the database again, after a transaction that was rolled back."""
        with self.database.reading() as connection:
            self._catalog = read_catalog(connection)

    def now(self) -> datetime:
        """The org's time."""
        return datetime.fromtimestamp(time.time(), UTC) + self.clock_offset

    def stamp(self) -> str:
        """The org's time as it is stored and answered: whole seconds."""
        return format_datetime(self.now())

    def changed_at(self) -> str:
        """The org's time in microseconds, which orders writes within a second."""
        return self.now().isoformat(timespec="microseconds")


def format_datetime(moment: datetime) -> str:
    """A time as Salesforce's REST API writes it: UTC, whole seconds, `.000+0000`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _found(connection: sqlite3.Connection, stamp: str, changed_at: str) -> None:
    """The rows that every org has: its own, and the user that integrations act as."""
    audit = {
        "CreatedById": INTEGRATION_USER,
        "CreatedDate": stamp,
        "LastModifiedById": INTEGRATION_USER,
        "LastModifiedDate": stamp,
        "SystemModstamp": stamp,
        "_changed_at": changed_at,
    }
    user = {
        "_row": INTEGRATION_USER_NUMBER,
        "Id": INTEGRATION_USER,
        "Username": "integration@sandbox.invalid",
        "FirstName": "Integration",
        "LastName": "User",
        "Email": "integration@sandbox.invalid",
        "Alias": "integ",
        "IsActive": 1,
        "UserType": "Standard",
        "LanguageLocaleKey": "en_US",
        "LocaleSidKey": "en_US",
        "TimeZoneSidKey": "UTC",
    }
    organization = {
        "Id": ORGANIZATION,
        "Name": "Sandbox",
        "IsSandbox": 1,
        "InstanceName": "SBX1",
        "OrganizationType": "Developer Edition",
        "LanguageLocaleKey": "en_US",
        "TimeZoneSidKey": "UTC",
    }
    for table, row in (("User", user), ("Organization", organization)):
        values = {**row, **audit}
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        connection.execute(
            f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({marks})',
            list(values.values()),
        )
