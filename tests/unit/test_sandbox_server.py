"""The server under every sandbox: keep-alive, bounds, orderly ends, and finding sandboxes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from crm_sync.errors import UsageError
from crm_sync.sandbox.http import Request, Response, json_response
from crm_sync.sandbox.registry import find_sandbox, sandbox_names
from crm_sync.sandbox.server import MAX_BODY, RunningServer


def echo(request: Request) -> Response:
    return json_response({"path": request.path, "query": request.query, "size": len(request.body)})


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with RunningServer(echo) as running:
        yield running


def raw(server: RunningServer, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(data)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def test_it_listens_on_loopback_only(server: RunningServer) -> None:
    assert server.url == f"http://127.0.0.1:{server.port}"


def test_many_small_calls_on_one_connection_do_not_wait_for_each_other(
    server: RunningServer,
) -> None:
    with requests.Session() as session:
        session.get(f"{server.url}/warm")
        start = time.perf_counter()
        for number in range(50):
            assert session.post(f"{server.url}/{number}", json=[number]).json()["size"] == len(
                f"[{number}]"
            )
        # Delayed acknowledgements would cost 40 ms for each call.
        assert time.perf_counter() - start < 50 * 0.04


def test_a_chunked_body_is_read(server: RunningServer) -> None:
    answer = requests.post(f"{server.url}/x", data=iter([b"abc", b"de"]))
    assert answer.json()["size"] == 5


def test_what_is_too_large_is_refused_without_being_read(server: RunningServer) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    assert b" 413 " in raw(server, head % (MAX_BODY + 1))
    assert b" 400 " in raw(server, head.replace(b"%d", b"-5"))
    assert requests.get(f"{server.url}/{'x' * 17_000}").status_code == 414


def test_a_taken_port_is_told_in_words(server: RunningServer) -> None:
    with pytest.raises(UsageError, match=str(server.port)):
        RunningServer(echo, port=server.port)


def test_closing_cuts_connections_and_frees_the_port() -> None:
    running = RunningServer(echo)
    with requests.Session() as session:
        session.get(running.url)
        running.close()
        running.close()
        with pytest.raises(requests.ConnectionError):
            session.get(running.url)
    with RunningServer(echo, port=running.port) as again:
        assert requests.get(again.url).ok


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_in_the_foreground_ends_cleanly_on_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    program = (
        "import sys, pathlib\n"
        "from crm_sync_salesforce.sandbox import SalesforceSandbox\n"
        "with SalesforceSandbox.open(pathlib.Path(sys.argv[1]), bare=True) as sandbox:\n"
        "    print('ready', flush=True)\n"
        "    sandbox.serve_forever()\n"
        "print('ended', flush=True)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, str(tmp_path / "s.db")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(number)
        out, errors = process.communicate(timeout=30)
    assert (process.returncode, out, errors) == (0, "ended\n", "")


def test_a_sandbox_says_that_it_is_up(tmp_path: Path) -> None:
    from crm_sync_salesforce.sandbox import SalesforceSandbox

    with SalesforceSandbox.open(tmp_path / "s.db", bare=True) as sandbox:
        told = requests.get(f"{sandbox.start().url}/").json()
    assert (told["name"], told["vendor"]) == ("salesforce", "Salesforce")
    assert told["rows"]["User"] == 1


def test_a_file_that_is_no_database_is_told_in_words(tmp_path: Path) -> None:
    from crm_sync_salesforce.sandbox import SalesforceSandbox

    path = tmp_path / "s.db"
    path.write_text("not a database, but long enough to be mistaken for one" * 50)
    with pytest.raises(UsageError, match="cannot be opened"):
        SalesforceSandbox.open(path)
    with pytest.raises(UsageError, match="cannot be opened"):
        SalesforceSandbox.open(tmp_path / "absent" / "s.db")


def _installed(folder: Path, monkeypatch: pytest.MonkeyPatch, entries: str) -> None:
    """A distribution with these entry points, as an installer would leave it."""
    info = folder / "made_up-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[crm_sync.sandboxes]\n{entries}")
    monkeypatch.syspath_prepend(str(folder))


def test_sandboxes_are_found_by_their_entry_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _installed(
        tmp_path,
        monkeypatch,
        "mine = crm_sync_salesforce.sandbox:SalesforceSandbox\n"
        "broken = no_such_package:Thing\nwrong = json:dumps\n",
    )
    assert {"mine", "broken", "wrong"} <= set(sandbox_names())
    assert find_sandbox("mine").name == "salesforce"
    with pytest.raises(UsageError, match="mine"):
        find_sandbox("nope")
    with pytest.raises(UsageError, match="cannot be loaded"):
        find_sandbox("broken")
    with pytest.raises(UsageError, match="not a Sandbox class"):
        find_sandbox("wrong")
