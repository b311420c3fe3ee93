"""The Salesforce sandbox: Salesforce's REST API on loopback over a SQLite file."""
# ruff: noqa: S608 - SQL is put together from our own names; values are always parameters

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from crm_sync.sandbox.base import Sandbox
from crm_sync.sandbox.http import (
    HttpProblem,
    Request,
    Response,
    Route,
    Router,
    json_response,
    route,
)
from crm_sync.shipped import shipped
from crm_sync_salesforce.sandbox.bulkrows import collection_routes
from crm_sync_salesforce.sandbox.catalog import mapping_fields, schema_fields
from crm_sync_salesforce.sandbox.composite import composite_route
from crm_sync_salesforce.sandbox.control import control_routes
from crm_sync_salesforce.sandbox.loading import load_directory
from crm_sync_salesforce.sandbox.metadata import BASE, metadata_routes
from crm_sync_salesforce.sandbox.org import Org
from crm_sync_salesforce.sandbox.problems import ApiProblem, not_found
from crm_sync_salesforce.sandbox.queries import (
    Caller,
    create_locator_tables,
    page_size,
    read_page,
    run_query,
)
from crm_sync_salesforce.sandbox.rows import row_routes
from crm_sync_salesforce.sandbox.seeding import seed_world
from crm_sync_salesforce.sandbox.sessions import Sessions
from crm_sync_salesforce.schema import SCHEMA

if TYPE_CHECKING:
    from crm_sync.sandbox.world import World

SHIPPED_MAPPING = "mappings/salesforce.yaml"
_LOG = logging.getLogger(__name__)


class SalesforceSandbox(Sandbox):
    """A stand-in for one Salesforce org. See `Sandbox` and the control end points in `control`.

    Any client id and secret obtain a token, except the secret `wrong`, and any but
    `client_secret` where that was given. The session id `sandbox-session` needs no token at all.
    """

    name = "salesforce"
    vendor = "Salesforce"
    world_id_field = "External_Id__c"

    def __init__(
        self,
        database: Path,
        *,
        client_secret: str | None = None,
        clock_offset: timedelta = timedelta(),
    ) -> None:
        super().__init__()
        self.org = Org(database, self.calls)
        self.org.clock_offset = clock_offset
        with self.org.database.writing() as connection:
            create_locator_tables(connection)
        self.sessions = Sessions(self.org, client_secret)

    @classmethod
    def open(
        cls,
        database: Path,
        *,
        bare: bool = False,
        mapping: Path | None = None,
        client_secret: str | None = None,
        clock_offset: timedelta = timedelta(),
    ) -> Self:
        """Open or create the database; see `Sandbox.open`.

        `clock_offset` is added to the machine's time wherever the org tells or stores the time.
        """
        sandbox = cls(database, client_secret=client_secret, clock_offset=clock_offset)
        if not bare:
            extras = [*schema_fields(SCHEMA), *mapping_fields(mapping or shipped(SHIPPED_MAPPING))]
            with sandbox.org.database.writing() as connection:
                sandbox.org.add_fields(connection, extras)
        return sandbox

    def load(self, directory: Path) -> Mapping[str, int]:
        """Load `Contact.csv` and its like; see `Sandbox.load` and `loading`."""
        return load_directory(self.org, directory)

    def seed(self, world: World) -> Mapping[str, int]:
        """Fill the org with a synthetic world; see `seeding`."""
        return seed_world(self.org, world)

    def counts(self) -> Mapping[str, int]:
        """Living rows per object."""
        with self.org.database.reading() as connection:
            return {
                one.name: connection.execute(
                    f'SELECT count(*) FROM "{one.name}" WHERE IsDeleted = 0'
                ).fetchone()[0]
                for one in self.org.catalog.values()
            }

    def connection_block(self, url: str) -> str:
        """A `sandbox:` entry for `connections:`."""
        return (
            "  sandbox:\n"
            "    connector: salesforce\n"
            f"    instance_url: {url}\n"
            "    auth: {flow: client_credentials, client_id: sandbox, "
            "client_secret: sandbox-secret}\n"
            "    mapping: mappings/salesforce.yaml\n"
            "    late_seconds: 2  # a sandbox is done with a request in no time\n"
        )

    def close(self) -> None:
        """Stop the servers and close the database."""
        super().close()
        self.org.database.close()

    def routes(self) -> Sequence[Route]:
        """Salesforce's end points, and the sandbox's own."""
        api = [
            *self._query_routes(),
            *metadata_routes(self.org),
            *collection_routes(self.org),
            *row_routes(self.org),
        ]
        return [
            *control_routes(self.org, self.sessions),
            route("POST", "/services/oauth2/token", "token", self.sessions.token, public=True),
            composite_route(Router(api), _carry_out),
            *api,
        ]

    def answer(self, route: Route, request: Request) -> Response:
        """Check session and allowance, carry out the call, and speak of errors as Salesforce."""
        headers = {"Date": format_datetime(self.org.now(), usegmt=True)}
        try:
            if not route.public:
                self.sessions.check(request)
                self.org.allowance.use()
                headers |= self.org.allowance.header()
        except HttpProblem as problem:
            return problem.response().adding(headers)
        return _carry_out(route, request).adding(headers)

    def unknown_path(self, request: Request) -> Response:
        """Salesforce's 404."""
        return not_found().response()

    def _query_routes(self) -> list[Route]:
        def query(request: Request, *, deleted: bool) -> Response:
            text = request.query.get("q", "")
            if not text.strip():
                raise ApiProblem(400, "MALFORMED_QUERY", "SOQL statement cannot be empty")
            page = page_size(request.headers.get("sforce-query-options", ""))
            caller = Caller(request.args["base"])
            answer = run_query(self.org, caller, text, deleted=deleted, page=page)
            return json_response(answer)

        def more(request: Request) -> Response:
            caller = Caller(request.args["base"])
            return json_response(read_page(self.org, caller, request.args["locator"]))

        return [
            route("GET", f"{BASE}/query", "query", lambda r: query(r, deleted=False)),
            route("GET", f"{BASE}/queryAll", "queryAll", lambda r: query(r, deleted=True)),
            route("GET", rf"{BASE}/query(?:All)?/(?P<locator>[^/]+)", "query.more", more),
        ]


def _carry_out(route: Route, request: Request) -> Response:
    """The handler's answer; whatever goes wrong becomes one as well."""
    try:
        return route.handler(request)
    except HttpProblem as problem:
        return problem.response()
    except Exception as problem:  # a stand-in fails as a server does, and goes on
        _LOG.error("sandbox failed at %s: %s", route.name, type(problem).__name__)
        message = f"An unexpected error occurred: {type(problem).__name__}"
        return ApiProblem(500, "UNKNOWN_EXCEPTION", message).response()
