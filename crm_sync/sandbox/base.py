"""What every sandbox is: a vendor's HTTP API over a database file, with faults on demand."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

from crm_sync.sandbox.calls import Calls
from crm_sync.sandbox.faults import Fault, Faults, parse_fault
from crm_sync.sandbox.http import (
    HttpProblem,
    Request,
    Response,
    Route,
    Router,
    json_response,
    route,
)
from crm_sync.sandbox.server import LOOPBACK, RunningServer, wait_for_signal

if TYPE_CHECKING:
    from crm_sync.sandbox.world import World


class Sandbox(ABC):
    """A stand-in for one vendor's API, listening on loopback; a context manager.

    A subclass gives the vendor's routes and wraps each call in `answer` (sessions, allowance,
    error shapes). Faults, counters and control end points are here.
    """

    name: ClassVar[str]
    vendor: ClassVar[str]
    world_id_field: ClassVar[str]
    """The vendor's field in which a seeded contact carries its id in the synthetic world."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.calls = Calls()
        self._router: Router | None = None
        self._servers: list[RunningServer] = []

    @classmethod
    @abstractmethod
    def open(cls, database: Path, *, bare: bool = False, mapping: Path | None = None) -> Self:
        """Open or create the database file.

        It starts with the fields that the connector's schema declares and `mapping` (default: the
        shipped one) names; `bare` starts with the vendor's standard fields only.
        """

    @abstractmethod
    def load(self, directory: Path) -> Mapping[str, int]:
        """Load CSV files named after the vendor's objects; all or nothing. Rows per object.

        Raises `InputError` that names file and line.
        """

    @abstractmethod
    def seed(self, world: World) -> Mapping[str, int]:
        """Fill the sandbox with a synthetic world. Rows per object."""

    @abstractmethod
    def counts(self) -> Mapping[str, int]:
        """Live rows per object."""

    @abstractmethod
    def connection_block(self, url: str) -> str:
        """YAML of a ready connection: a `sandbox:` entry, indented for `connections:`."""

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """The vendor's end points, and control end points of its own."""

    @abstractmethod
    def answer(self, route: Route, request: Request) -> Response:
        """Carry out a call of one of `routes()` as the vendor would, errors included."""

    @abstractmethod
    def unknown_path(self, request: Request) -> Response:
        """The vendor's answer where it has no such path."""

    def start(self, port: int = 0, *, host: str = LOOPBACK) -> RunningServer:
        """Answer in the background; `port` 0 takes a free one."""
        server = RunningServer(self.respond, host=host, port=port)
        self._servers.append(server)
        return server

    def serve_forever(self, port: int = 0, *, host: str = LOOPBACK) -> None:
        """Answer until SIGINT or SIGTERM arrives; from the main thread only."""
        with self.start(port, host=host):
            wait_for_signal()

    def close(self) -> None:
        """Stop every server of this sandbox."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    def respond(self, request: Request) -> Response | None:
        """Answer one request, or None where a fault resets the connection."""
        if self._router is None:
            self._router = Router([*self._control_routes(), *self.routes()])
        try:
            found = self._router.find(request)
        except HttpProblem as problem:
            return problem.response()
        if found is None:
            return self.unknown_path(request)
        target, request = found
        if _is_control(request):
            return _control(target, request)
        self.calls.called(f"{request.method} {target.name}")
        return self._with_fault(self.faults.take(request), target, request)

    def _with_fault(self, fault: Fault | None, target: Route, request: Request) -> Response | None:
        if fault is None:
            return self.answer(target, request)
        if fault.kind == "drop_before":
            return None
        if fault.kind == "status":
            return fault.response()
        if fault.kind == "delay":
            time.sleep(fault.seconds)
        response = self.answer(target, request)
        if fault.kind == "delay_after":
            time.sleep(fault.seconds)
        return None if fault.kind == "drop_after" else response

    def _control_routes(self) -> list[Route]:
        faults = "/sandbox/faults"
        return [
            route("GET", "/", "up", self._up, public=True),
            route("GET", faults, "faults", self._list_faults, public=True),
            route("POST", faults, "faults", self._add_faults, public=True),
            route("DELETE", faults, "faults", self._clear_faults, public=True),
            route("GET", "/sandbox/calls", "calls", self._calls, public=True),
            route("POST", "/sandbox/calls/reset", "calls", self._reset_calls, public=True),
        ]

    def _up(self, _: Request) -> Response:
        return json_response({"name": self.name, "vendor": self.vendor, "rows": self.counts()})

    def _list_faults(self, _: Request) -> Response:
        return json_response(self.faults.described())

    def _add_faults(self, request: Request) -> Response:
        wanted = request.json()
        self.faults.add([parse_fault(one) for one in _listed(wanted)])
        return json_response(self.faults.described(), status=201)

    def _clear_faults(self, _: Request) -> Response:
        self.faults.clear()
        return Response(204)

    def _calls(self, _: Request) -> Response:
        return json_response(self.calls.counted())

    def _reset_calls(self, _: Request) -> Response:
        self.calls.reset()
        return Response(204)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _is_control(request: Request) -> bool:
    return request.path == "/" or request.path.startswith("/sandbox/")


def _control(target: Route, request: Request) -> Response:
    """A control end point: from this machine only, mistakes told in plain words."""
    if not ip_address(request.peer.partition("%")[0]).is_loopback:
        return json_response({"error": "control end points answer on loopback only"}, status=403)
    try:
        return target.handler(request)
    except HttpProblem as problem:
        return problem.response()
    except (ValueError, KeyError, TypeError) as problem:
        return json_response({"error": str(problem)}, status=400)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
