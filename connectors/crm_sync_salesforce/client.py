"""Calls to one org's REST API: signed in, judged, and counted against the allowance.

simple-salesforce gives the addresses and the session that they are called through. Requests are
made here, because its own handling repeats refused calls, drops the answer's headers and cannot
be given time-outs everywhere.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from crm_sync.calls.tokens import Token
from crm_sync.connector import ServerFault, Usage
from crm_sync.errors import CrmSyncError
from crm_sync_salesforce.auth import token_provider
from crm_sync_salesforce.config import SalesforceConfig
from crm_sync_salesforce.errors import error_for, http_date, not_json
from crm_sync_salesforce.http import Answer, HttpClient
from crm_sync_salesforce.soql import URL_BYTES, url_bytes

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

_USAGE = re.compile(r"(?:^|[;,]\s*)api-usage=(\d{1,12})/(\d{1,12})")
_LOCATOR = re.compile(r"/services/data/v\d{2,3}\.\d/query[\w/~=%-]+")


@dataclass(frozen=True, slots=True)
class QueryPage:
    """One page of a query: raw records, the path of the next page if any, and the whole's size.

    `asked_at` is the server's own time when the question was put, at the latest.
    """

    records: list[dict[str, Any]]
    next_path: str
    total: int | None
    asked_at: datetime


class SalesforceClient:
    """One org's API; safe to share between threads."""

    def __init__(self, config: SalesforceConfig) -> None:
        self._config = config
        self._place = urlsplit(config.instance_url).netloc
        self._http = HttpClient(config)
        self._tokens = token_provider(config, self._http)
        self._base = urlsplit(_vendor_client(config, self._http).base_url).path
        self._usage: Usage | None = None
        self._lock = Lock()

    def call(
        self,
        method: str,
        path: str,
        *,
        writes: bool = False,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """A successful answer; `path` is relative to the API version, or absolute.

        Raises the error of `crm_sync.connector` that fits (see `error_for`), or `LocatorGone`.
        """
        absolute = path if path.startswith("/") else self._base + path

        def send(token: Token) -> Answer:
            answer = self._http.send(
                method,
                absolute,
                writes=writes,
                params=params,
                headers={**(headers or {}), "Authorization": f"Bearer {token.value}"},
                body=body,
            )
            self._note_usage(answer.headers)
            return self._judged(answer, writes=writes)

        return self._tokens.run(send)

    def query(self, soql: str, *, everything: bool = False) -> QueryPage:
        """The first page of a query; `everything` includes deleted and archived records."""
        started = time.monotonic()
        resource = "queryAll" if everything else "query"
        headers = {"Sforce-Query-Options": f"batchSize={self._config.page_size}"}
        if url_bytes(soql) <= URL_BYTES:
            answer = self.call("GET", resource, params={"q": soql}, headers=headers)
            return self._page(answer.headers, answer.body, started)
        headers_of_answer, body = self._query_in_body(resource, soql, headers)
        return self._page(headers_of_answer, body, started)

    def query_more(self, path: str) -> QueryPage:
        """A further page. Raises `LocatorGone` when the query has to be made again."""
        if not _LOCATOR.fullmatch(path):
            raise ServerFault("the next page has no address of Salesforce's", place=self._place)
        started = time.monotonic()
        answer = self.call("GET", path)
        return self._page(answer.headers, answer.body, started)

    def usage(self) -> Usage | None:
        """The allowance as the last answer told it."""
        with self._lock:
            return self._usage

    def close(self) -> None:
        """Close all sockets."""
        self._http.close()

    def _query_in_body(
        self, resource: str, soql: str, headers: Mapping[str, str]
    ) -> tuple[Mapping[str, str], Any]:
        """A query too long for a URL, as the only part of a composite request."""
        part = {
            "method": "GET",
            "url": f"{self._base}{resource}?q={quote(soql, safe='')}",
            "referenceId": "query",
            "httpHeaders": dict(headers),
        }
        answer = self.call("POST", "composite", body={"compositeRequest": [part]})
        try:
            [result] = answer.body["compositeResponse"]
            status, body = int(result["httpStatusCode"]), result["body"]
        except (TypeError, KeyError, ValueError):
            raise ServerFault("the answer is not understood", place=self._place) from None
        if status >= 300:
            error = error_for(status, answer.headers, body, writes=False, place=self._place)
            # The session was just accepted for the whole: a part that says otherwise is a fault.
            known = isinstance(error, CrmSyncError)
            raise error if known else ServerFault("the answer is not understood")
        return answer.headers, body

    def _page(self, headers: Mapping[str, str], body: Any, started: float) -> QueryPage:
        answered_at = http_date(headers.get("Date", ""))
        if answered_at is None:
            # Cursors rest on the server's clock; ours may be an hour off.
            raise ServerFault(
                "the answer has no Date",
                place=self._place,
                fix="Does a proxy between here and Salesforce remove headers?",
            )
        if not isinstance(body, dict) or not isinstance(body.get("records"), list):
            raise ServerFault("the answer is not understood", place=self._place)
        total = body.get("totalSize")
        return QueryPage(
            records=[row for row in body["records"] if isinstance(row, dict)],
            next_path=str(body.get("nextRecordsUrl") or ""),
            total=total if isinstance(total, int) else None,
            asked_at=answered_at - timedelta(seconds=time.monotonic() - started),
        )

    def _judged(self, answer: Answer, *, writes: bool) -> Answer:
        if answer.status >= 300:
            raise error_for(
                answer.status, answer.headers, answer.body, writes=writes, place=self._place
            )
        if answer.body is None and answer.status != 204:
            raise not_json(answer.status, writes=writes, place=self._place)
        return answer

    def _note_usage(self, headers: Mapping[str, str]) -> None:
        told = usage_in(headers.get("Sforce-Limit-Info", ""))
        if told is not None:
            with self._lock:
                self._usage = told


def usage_in(limit_info: str) -> Usage | None:
    """The org's usage in a `Sforce-Limit-Info` header; what else it holds is passed over."""
    match = _USAGE.search(limit_info)
    return Usage(int(match.group(1)), int(match.group(2))) if match else None


def _vendor_client(config: SalesforceConfig, http: HttpClient) -> Salesforce:
    from simple_salesforce.api import Salesforce

    # An empty session id: tokens are ours, so the client neither holds nor renews one.
    return Salesforce(
        session_id="",
        instance_url=config.instance_url,
        session=http.session,
        version=config.api_version,
    )
