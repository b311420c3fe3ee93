"""A HubSpot portal as any client sees it, beside `Crm` in `project`, for projects of `crm-sync`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from crm_sync_hubspot.connector import HubSpotConnector
from crm_sync_hubspot.sandbox import HubSpotSandbox
from tests.support.project import CONGRESS, Project, write_project

VERSION = "2026-09"
OURS = tuple(spec.name for spec in HubSpotConnector.schema if spec.entity == "contact")
BY_PROPERTY, BY_ASSOCIATION = "associatedcompanyid", "associations.companies.primary"
"""Where a contact's primary company can be read; the first is what the shipped mapping does."""


@dataclass(frozen=True)
class PortalCrm:
    """The sandbox as anybody's client sees it."""

    url: str

    def call(self, method: str, path: str, body: object = None, **params: str) -> Any:
        answer = requests.request(
            method,
            self.url + path,
            json=body,
            params=params,
            headers={"Authorization": "Bearer somebody-else"},
            timeout=30,
        )
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def records(self, kind: str, properties: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        """Every live record by id; an empty value and none are the same."""
        found: dict[str, dict[str, Any]] = {}
        after = {}
        while True:
            path = f"/crm/objects/{VERSION}/{kind}"
            page = self.call("GET", path, limit="100", properties=",".join(properties), **after)
            for row in page["results"]:
                values = row["properties"]
                found[row["id"]] = {name: values.get(name) or None for name in properties}
            if "paging" not in page:
                return found
            after = {"after": page["paging"]["next"]["after"]}

    def linked(self, source: str, ids: Sequence[str], target: str) -> dict[str, list[str]]:
        """The ids of the target records that each source record is associated with."""
        ends: dict[str, list[str]] = {id: [] for id in ids}
        if not ids:
            return ends
        path = f"/crm/associations/{VERSION}/{source}/{target}/batch/read"
        body = self.call("POST", path, {"inputs": [{"id": id} for id in ids]})
        for row in body["results"]:
            ends[row["from"]["id"]] = sorted(str(end["toObjectId"]) for end in row["to"])
        return ends

    def edit(self, kind: str, id: str, **properties: str) -> None:
        self.call("PATCH", f"/crm/objects/{VERSION}/{kind}/{id}", {"properties": properties})

    def properties(self, kind: str) -> dict[str, dict[str, Any]]:
        found = self.call("GET", f"/crm/properties/{VERSION}/{kind}")["results"]
        return {one["name"]: one for one in found}

    def control(self, path: str, body: object = None) -> None:
        answer = requests.post(f"{self.url}/sandbox/{path}", json=body, timeout=10)
        assert answer.status_code < 300, answer.text

    def snapshot(self) -> dict[str, Any]:
        """Everything that crm-sync could have touched, without the CRM's own stamps."""
        known = self.properties("contacts")
        ours = [name for name in OURS if name in known]
        contacts = self.records("contacts", ["jobtitle", "hubspot_owner_id", *ours])
        tasks = self.records("tasks", ["hs_task_subject", "hubspot_owner_id"])
        return {
            "contacts": contacts,
            "companies_of_contacts": self.linked("contacts", list(contacts), "companies"),
            "tasks": tasks,
            "contacts_of_tasks": self.linked("tasks", list(tasks), "contacts"),
        }


@contextmanager
def a_project(
    folder: Path, sandbox: HubSpotSandbox, profiles: Path, as_of: str, more: str = ""
) -> Iterator[tuple[Project, PortalCrm]]:
    """A project beside a running sandbox, whose enrichment is the given file."""
    with sandbox.start() as server:
        block = sandbox.connection_block(server.url)
        project = write_project(folder, block, server.url, profiles, as_of, more)
        yield project, PortalCrm(server.url)


def read_companies_by(project: Project, field: str) -> None:
    """Let the mapping read a contact's primary company from this field."""
    mapping = project.folder / "mappings" / "hubspot.yaml"
    text = mapping.read_text(encoding="utf-8")
    line = f"    account_id: {BY_PROPERTY}\n"
    assert text.count(line) == 1
    mapping.write_text(text.replace(line, f"    account_id: {field}\n"), encoding="utf-8")


COMPANIES = {"Name": "name", "Website": "domain"}
CONTACTS = {
    "External_Id__c": "external_id",
    "FirstName": "firstname",
    "LastName": "lastname",
    "Title": "jobtitle",
    "Account.Name": "companies.name",
    "Phone": "phone",
    "MailingStreet": "address",
    "CreatedDate": "createdate",
    "LastModifiedDate": "lastmodifieddate",
}


def congress_for_hubspot(folder: Path) -> Path:
    """The real people's records under HubSpot's names."""
    folder.mkdir()
    for old, new, names in (
        ("Account.csv", "companies.csv", COMPANIES),
        ("Contact.csv", "contacts.csv", CONTACTS),
    ):
        with (CONGRESS / old).open(encoding="utf-8", newline="") as stream:
            rows = [_renamed(row, names) for row in csv.DictReader(stream)]
        with (folder / new).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(names.values()))
            writer.writeheader()
            writer.writerows(rows)
    return folder


def _renamed(row: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {new: row[old] for old, new in names.items()}
