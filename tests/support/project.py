"""The CRM as any client sees it, and a project folder driven by the real command line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import requests
import structlog

from crm_sync.cli import main
from crm_sync.shipped import shipped

CRM_SYNC = Path(sys.executable).with_name("crm-sync")
ROOT = Path(__file__).parents[2]
CONGRESS = ROOT.parent / "shared" / "realdata" / "congress"
ENVIRONMENT = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Crm:
    """The sandbox as anybody's client sees it."""

    url: str

    @property
    def _headers(self) -> dict[str, str]:
        answer = requests.post(
            f"{self.url}/services/oauth2/token",
            data={"grant_type": "client_credentials", "client_id": "t", "client_secret": "t"},
            timeout=10,
        )
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def query(self, soql: str) -> list[dict[str, Any]]:
        headers = self._headers
        rows: list[dict[str, Any]] = []
        path: str | None = "/services/data/v62.0/query"
        parameters: dict[str, str] | None = {"q": soql}
        while path:
            answer = requests.get(self.url + path, params=parameters, headers=headers, timeout=30)
            assert answer.status_code == 200, answer.text
            body = answer.json()
            rows += [
                {key: value for key, value in row.items() if key != "attributes"}
                for row in body["records"]
            ]
            path, parameters = body.get("nextRecordsUrl"), None
        return rows

    def edit(self, kind: str, id: str, **fields: object) -> None:
        answer = requests.patch(
            f"{self.url}/services/data/v62.0/sobjects/{kind}/{id}",
            json=fields,
            headers=self._headers,
            timeout=10,
        )
        assert answer.status_code == 204, answer.text

    def create(self, kind: str, **fields: object) -> str:
        answer = requests.post(
            f"{self.url}/services/data/v62.0/sobjects/{kind}",
            json=fields,
            headers=self._headers,
            timeout=10,
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def delete(self, kind: str, id: str) -> None:
        answer = requests.delete(
            f"{self.url}/services/data/v62.0/sobjects/{kind}/{id}",
            headers=self._headers,
            timeout=10,
        )
        assert answer.status_code == 204, answer.text

    def control(self, path: str, body: object = None) -> None:
        answer = requests.post(f"{self.url}/sandbox/{path}", json=body, timeout=10)
        assert answer.status_code < 300, answer.text

    def snapshot(self) -> dict[str, Any]:
        """Everything that crm-sync could have touched, without the CRM's own stamps."""
        fields = (
            "Id, FirstName, LastName, Title, AccountId, OwnerId, Crm_Sync_Moved__c, "
            "Crm_Sync_Job_Change__c, Crm_Sync_Moved_On__c, Crm_Sync_Previous_Company__c, "
            "Crm_Sync_New_Company__c, Crm_Sync_New_Title__c, Crm_Sync_Last_Verified__c, "
            "Crm_Sync_Evidence__c"
        )
        return {
            "contacts": self.query(f"SELECT {fields} FROM Contact ORDER BY Id"),
            "tasks": self.query("SELECT Id, Subject, WhoId, Crm_Sync_Key__c FROM Task ORDER BY Id"),
        }


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def in_this_process(folder: Path, *arguments: str) -> Done:
    """Run `crm-sync` with these arguments in the folder, and catch what it says and how it ends."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.dict(os.environ, ENVIRONMENT),
        mock.patch.object(sys, "argv", [str(CRM_SYNC), *arguments]),
    ):
        try:
            main()
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        finally:
            structlog.reset_defaults()  # the command had logs written to what stands for stderr
    return Done(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Project:
    """A folder with config.yaml, as `init` and an editor leave it."""

    folder: Path
    crm: Crm

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(CRM_SYNC), *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )

    def call(self, *arguments: str, expect: int = 0) -> Done:
        """The command within this process, which spares the start of one: as its script does it.

        What a process of its own would make a difference to is tried with `start`.
        """
        done = in_this_process(self.folder, *arguments)
        assert done.returncode == expect, f"{arguments}: {done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def data(self, *arguments: str, expect: int = 0) -> Any:
        return json.loads(self.call(*arguments, "--json", expect=expect).stdout)


def write_project(
    where: Path, block: str, url: str, profiles: Path, as_of: str, more: str = ""
) -> Project:
    """A project in `where`/project for a sandbox at `url`, read from one vendor file.

    `block` is the sandbox's connection block; `more` are further lines of the connection.
    """
    folder = where / "project"
    shutil.copytree(shipped("mappings"), folder / "mappings")
    (folder / "config.yaml").write_text(
        f"connections:\n{block.rstrip()}\n"
        "    playbooks: mappings/playbooks.yaml\n    enrichment: [vendor-file]\n"
        f"{more}enrichment:\n  vendor-file:\n    source: file\n    path: {profiles}\n"
        f"    mapping: mappings/people_data_labs.yaml\n    as_of: {as_of}\n",
        encoding="utf-8",
    )
    return Project(folder, Crm(url))
