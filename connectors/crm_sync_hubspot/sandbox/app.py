"""The HubSpot sandbox: HubSpot's API on loopback over a SQLite file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from crm_sync.sandbox.base import Sandbox
from crm_sync.sandbox.http import HttpProblem, Request, Response, Route
from crm_sync.shipped import shipped
from crm_sync_hubspot.sandbox.account import account_routes
from crm_sync_hubspot.sandbox.associating import association_routes
from crm_sync_hubspot.sandbox.associating_v3 import association_v3_routes
from crm_sync_hubspot.sandbox.batch import batch_routes
from crm_sync_hubspot.sandbox.catalog import mapping_properties, schema_properties
from crm_sync_hubspot.sandbox.control import control_routes
from crm_sync_hubspot.sandbox.labels import label_routes
from crm_sync_hubspot.sandbox.limits import Limits
from crm_sync_hubspot.sandbox.loading import load_directory
from crm_sync_hubspot.sandbox.merging import merging_routes
from crm_sync_hubspot.sandbox.oauth import Tokens, oauth_routes
from crm_sync_hubspot.sandbox.objects import object_routes
from crm_sync_hubspot.sandbox.owners import owner_routes
from crm_sync_hubspot.sandbox.pipelines import pipeline_routes
from crm_sync_hubspot.sandbox.portal import Portal, Settings
from crm_sync_hubspot.sandbox.problems import ApiProblem, not_found
from crm_sync_hubspot.sandbox.properties import property_routes
from crm_sync_hubspot.sandbox.search import search_routes
from crm_sync_hubspot.sandbox.seeding import WORLD_ID, seed_world
from crm_sync_hubspot.sandbox.types import TYPES

if TYPE_CHECKING:
    from crm_sync.sandbox.world import World

SHIPPED_MAPPING = "mappings/hubspot.yaml"
_LOG = logging.getLogger(__name__)


class HubSpotSandbox(Sandbox):
    """A stand-in for one HubSpot portal. See `Sandbox` and the control end points in `control`.

    Any bearer token is good, except `wrong` and those that were issued here and are over.
    """

    name = "hubspot"
    vendor = "HubSpot"
    world_id_field = WORLD_ID

    def __init__(
        self,
        database: Path,
        *,
        clock: Callable[[], datetime] | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self.portal = Portal(database, self.calls, settings=settings, clock=clock)
        self.tokens = Tokens(self.portal)
        self.limits = Limits(self.portal)

    @classmethod
    def open(
        cls,
        database: Path,
        *,
        bare: bool = False,
        mapping: Path | None = None,
        clock: Callable[[], datetime] | None = None,
        settings: Settings | None = None,
    ) -> Self:
        """Open or create the database; see `Sandbox.open`.

        `clock` gives the time (default: the machine's); `settings` are those to start with.
        """
        sandbox = cls(database, clock=clock, settings=settings)
        if not bare:
            sandbox._extend(mapping or shipped(SHIPPED_MAPPING))
        return sandbox

    def load(self, directory: Path) -> Mapping[str, int]:
        """Load `contacts.csv` and its like; see `Sandbox.load` and `loading`."""
        return load_directory(self.portal, directory)

    def seed(self, world: World) -> Mapping[str, int]:
        """Fill the portal with a synthetic world; see `seeding`."""
        return seed_world(self.portal, world)

    def counts(self) -> Mapping[str, int]:
        """Live records per kind, and owners that are not archived."""
        with self.portal.database.reading() as sql:
            found = {
                kind: sql.execute(
                    "SELECT count(*) FROM object WHERE type = ? "
                    "AND archived_ms IS NULL AND merged_into IS NULL",
                    (kind,),
                ).fetchone()[0]
                for kind in TYPES
            }
            (owners,) = sql.execute("SELECT count(*) FROM owner WHERE archived = 0").fetchone()
        return {"owners": owners, **found}

    def connection_block(self, url: str) -> str:
        """A `sandbox:` entry for `connections:`."""
        return (
            "  sandbox:\n"
            "    connector: hubspot\n"
            f"    base_url: {url}\n"
            "    auth: {flow: token, access_token: sandbox-token}\n"
            f"    mapping: {SHIPPED_MAPPING}\n"
            "    index_delay_seconds: 3  # a sandbox's search lags two seconds behind\n"
            "    late_seconds: 2  # a sandbox is done with a request in no time\n"
        )

    def close(self) -> None:
        """Stop the servers and close the database."""
        super().close()
        self.portal.database.close()

    def routes(self) -> Sequence[Route]:
        """HubSpot's end points, and the sandbox's own."""
        portal = self.portal
        return [
            *control_routes(portal, self.tokens),
            *oauth_routes(self.tokens),
            *search_routes(portal),
            *batch_routes(portal),
            *object_routes(portal),
            *merging_routes(portal),
            *association_routes(portal),
            *association_v3_routes(portal),
            *label_routes(portal),
            *property_routes(portal),
            *owner_routes(portal),
            *pipeline_routes(portal),
            *account_routes(portal, self.limits),
        ]

    def answer(self, route: Route, request: Request) -> Response:
        """Check token and limits, carry out the call, and speak of errors as HubSpot does."""
        headers = self._headers()
        try:
            if not route.public:
                self.tokens.check(request)
                headers |= self.limits.check(request, route)
            return route.handler(request).adding(headers)
        except HttpProblem as problem:
            return problem.response().adding(headers)
        except Exception as problem:  # a stand-in fails as a server does, and goes on
            _LOG.error("sandbox failed at %s: %s", route.name, type(problem).__name__)
            message = f"internal error: {type(problem).__name__}"
            return ApiProblem(500, "INTERNAL_ERROR", message).response().adding(headers)

    def unknown_path(self, request: Request) -> Response:
        """HubSpot's 404."""
        problem = not_found(f"No path {request.path[:200]} here")
        return problem.response().adding(self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Date": format_datetime(self.portal.now(), usegmt=True)}

    def _extend(self, mapping: Path) -> None:
        """Add the properties that the connector's schema declares and a mapping names."""
        from crm_sync_hubspot.schema import SCHEMA

        unique_tasks = self.portal.settings.unique_task_properties
        extras = [
            *schema_properties(SCHEMA, unique_tasks=unique_tasks),
            *mapping_properties(mapping),
        ]
        with self.portal.database.writing() as sql:
            for kind in TYPES:
                self.portal.add_missing(sql, kind, [one for name, one in extras if name == kind])
