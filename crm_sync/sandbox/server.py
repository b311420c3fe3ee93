"""A small threaded HTTP/1.1 server for sandboxes: keep-alive, bounded, loopback by default.

Header and body of an answer leave in one send with TCP_NODELAY, so that small calls do not wait
for delayed acknowledgements. A handler may answer None: the socket is then reset, as when a
network fails under a client.
"""

from __future__ import annotations

import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self, cast

from crm_sync.errors import UsageError
from crm_sync.sandbox.http import HttpProblem, Request, Response

LOOPBACK = "127.0.0.1"
MAX_BODY = 16 << 20
MAX_TARGET = 16_384
IDLE_SECONDS = 300

Application = Callable[[Request], Response | None]


class RunningServer:
    """A server that answers in background threads until `close()`; a context manager."""

    def __init__(self, application: Application, *, host: str = LOOPBACK, port: int = 0) -> None:
        try:
            self._server = _Server((host, port), application)
        except (OSError, OverflowError) as problem:
            raise UsageError(
                f"cannot listen on {host}:{port}: {getattr(problem, 'strerror', None) or problem}",
                fix="Choose another --port, or stop what is using this one.",
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that is listened on, also when 0 was asked for."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        host = str(self._server.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def close(self) -> None:
        """Stop listening and cut every open connection. May be called twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.cut_connections()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def wait_for_signal() -> None:
    """Block until SIGINT or SIGTERM arrives, then give the signals back to whom they belonged.

    Only the main thread can do this (a rule of Python's signals).
    """
    # Not an Event: set by a handler while this very thread holds its lock, it would never return.
    arrived: list[int] = []
    before = {
        number: signal.signal(number, lambda which, _: arrived.append(which))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        while not arrived:
            time.sleep(0.1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.application = application
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without the reverse name look-up of the base class, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def keep(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.add(connection)

    def forget(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.discard(connection)

    def cut_connections(self) -> None:
        with self._guard:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client was quicker

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that went away is everyday life for a sandbox."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        cast(_Server, self.server).keep(self.connection)

    def finish(self) -> None:
        cast(_Server, self.server).forget(self.connection)
        super().finish()

    def _serve(self) -> None:
        server = cast(_Server, self.server)
        try:
            request = self._request()
        except HttpProblem as problem:
            self.close_connection = True
            self._send(problem.response())
            return
        try:
            response = server.application(request)
        except HttpProblem as problem:
            response = problem.response()
        if response is None:
            self._reset()
        else:
            self._send(response)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - the base's names

    def _request(self) -> Request:
        if len(self.path) > MAX_TARGET:
            raise HttpProblem(414, "URI too long")
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = headers.get("host") or f"{LOOPBACK}:{cast(_Server, self.server).server_port}"
        return Request(
            method=self.command,
            target=self.path,
            headers=headers,
            body=self._body(headers),
            base_url=f"http://{host}",
            peer=str(self.client_address[0]),
        )

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunked()
        text = headers.get("content-length", "0").strip()
        if not text.isdigit():
            raise HttpProblem(400, "bad Content-Length")
        if int(text) > MAX_BODY:
            raise HttpProblem(413, "request body too large")
        return self.rfile.read(int(text))

    def _chunked(self) -> bytes:
        body = bytearray()
        while True:
            try:
                size = int(self.rfile.readline(64).split(b";")[0], 16)
            except ValueError:
                raise HttpProblem(400, "bad chunk") from None
            if size < 0 or len(body) + size > MAX_BODY:
                raise HttpProblem(413, "request body too large")
            if size == 0:
                while self.rfile.readline(1024) not in (b"\r\n", b"\n", b""):
                    pass
                return bytes(body)
            body += self.rfile.read(size)
            self.rfile.readline(8)

    def _send(self, response: Response) -> None:
        try:
            phrase = HTTPStatus(response.status).phrase
        except ValueError:
            phrase = "Status"
        headers = {"Date": self.date_time_string(), **response.headers}
        if response.body:
            headers.setdefault("Content-Type", response.content_type)
        if response.status not in (204, 304):
            headers["Content-Length"] = str(len(response.body))
        if self.close_connection:
            headers["Connection"] = "close"
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {response.status} {phrase}\r\n{lines}\r\n".encode("latin-1", "replace")
        bodiless = self.command == "HEAD" or response.status in (204, 304)
        self.wfile.write(head if bodiless else head + response.body)

    def _reset(self) -> None:
        """Close so that the client sees a connection reset, not an orderly end."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """No access log: targets carry queries, and queries carry personal data."""
