from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from structlog.testing import capture_logs

from crm_sync.connector import AccessDenied, ConfigError, RateLimited, ServerFault
from crm_sync.errors import CrmSyncError, ScopeMissing
from crm_sync_hubspot.client import HubSpotClient
from crm_sync_hubspot.config import HubSpotConfig
from crm_sync_hubspot.paths import path
from crm_sync_hubspot.sandbox import HubSpotSandbox
from tests.support.scripted_http import Reply, reply, scripted

CANARY = "canary-90c4"
CONTACTS = path("list", object="contacts")
OAUTH = {
    "flow": "refresh_token",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "refresh_token": "sandbox-refresh-token",
}


def client(url: str, **auth: str) -> HubSpotClient:
    config = {"base_url": url, "auth": {**OAUTH, **auth}}
    return HubSpotClient(HubSpotConfig.model_validate(config))


def static(url: str, token: str) -> HubSpotClient:
    auth = {"flow": "token", "access_token": token}
    return HubSpotClient(HubSpotConfig.model_validate({"base_url": url, "auth": auth}))


class Portal:
    """A sandbox over HTTP, and hands to break it with."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, name: str, body: Any = None) -> None:
        answer = requests.post(f"{self.url}/sandbox/{name}", json=body, timeout=10)
        answer.raise_for_status()

    def calls(self) -> dict[str, int]:
        return dict(requests.get(f"{self.url}/sandbox/calls", timeout=10).json()["calls"])

    def tokens(self) -> int:
        return self.calls().get("POST token", 0)

    def fault(self, match: dict[str, str], **more: Any) -> None:
        self.control("faults", [{"match": match, **more}])


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with HubSpotSandbox.open(tmp_path / "portal.db") as sandbox:
        yield Portal(sandbox.start().url)


def test_eight_threads_with_an_expired_token_fetch_one_new_one(portal: Portal) -> None:
    crm = client(portal.url)
    assert crm.call("GET", CONTACTS).status == 200
    before = portal.tokens()
    portal.control("tokens/expire")
    got: list[int] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait(timeout=10)
        got.append(crm.call("GET", CONTACTS).status)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert got == [200] * 8
    assert portal.tokens() == before + 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"client_secret": "wrong"}, "client secret"),
        ({"refresh_token": "wrong"}, "refresh token"),
    ],
)
def test_wrong_credentials_are_told_in_hubspots_words_after_one_call(
    portal: Portal, wrong: dict[str, str], told: str
) -> None:
    with pytest.raises(AccessDenied, match=told) as caught:
        client(portal.url, **wrong).call("GET", CONTACTS)
    assert caught.value.exit_code == 5
    assert "refresh_token" in caught.value.fix
    assert portal.calls() == {"POST token": 1}


def test_a_refused_static_token_ends_at_once_and_says_what_to_do(portal: Portal) -> None:
    crm = static(portal.url, "wrong")
    with pytest.raises(AccessDenied, match="INVALID_AUTHENTICATION") as caught:
        crm.call("GET", CONTACTS)
    assert "rotated" in caught.value.fix
    assert sum(portal.calls().values()) == 1


def test_access_that_is_taken_away_ends_without_a_loop(portal: Portal) -> None:
    crm = client(portal.url)
    crm.call("GET", CONTACTS)
    before = sum(portal.calls().values())
    portal.control("tokens/revoke")
    with pytest.raises(AccessDenied, match="refresh token"):
        crm.call("GET", CONTACTS)
    # The refused call, and the refused attempt to renew its token.
    assert sum(portal.calls().values()) == before + 2


def test_a_token_that_is_always_refused_is_renewed_once(portal: Portal) -> None:
    crm = client(portal.url)
    crm.call("GET", CONTACTS)
    before = portal.tokens()
    body = {"category": "INVALID_AUTHENTICATION", "message": "no such token"}
    portal.fault({"path": "/crm/objects"}, fault="status", status=401, body=body, times=0)
    with pytest.raises(AccessDenied, match="no such token"):
        crm.call("GET", CONTACTS)
    assert portal.tokens() == before + 1


def test_a_missing_scope_is_named(portal: Portal) -> None:
    portal.control("settings", {"missing_scopes": ["crm.objects.contacts.read"]})
    with pytest.raises(ScopeMissing) as caught:
        client(portal.url).call("GET", CONTACTS)
    assert caught.value.scopes == ("crm.objects.contacts.read",)


def test_a_token_end_point_that_fails_leaves_a_write_not_sent(portal: Portal) -> None:
    portal.fault({"path": "oauth"}, fault="drop_after", times=0)
    with pytest.raises(ServerFault) as caught:
        client(portal.url).call("POST", path("batch_create", object="contacts"), writes=True)
    assert caught.value.sent is False


def test_no_secret_shows_in_any_error_or_log(portal: Portal) -> None:
    crm = client(portal.url, client_secret=CANARY)
    crm.call("GET", CONTACTS)
    shown = [repr(crm), repr(vars(crm)), repr(vars(vars(crm)["_http"]))]
    with capture_logs() as logs:
        for kind in ("drop_before", "drop_after", "status"):
            portal.fault({}, fault=kind, times=0)
            with pytest.raises(CrmSyncError) as caught:
                crm.call("GET", CONTACTS)
            shown += [str(caught.value), repr(caught.value), repr(caught.value.__context__)]
            requests.delete(f"{portal.url}/sandbox/faults", timeout=10)
        portal.control("tokens/revoke")
        for refused in (static(portal.url, CANARY), client(portal.url, refresh_token=CANARY)):
            with pytest.raises(AccessDenied) as denied:
                refused.call("GET", CONTACTS)
            shown += [str(denied.value), repr(denied.value), repr(vars(refused))]
    shown += map(str, logs)
    assert [text for text in shown if CANARY in text or "Bearer" in text] == []


def issued(token: str, refresh: str) -> Reply:
    body = {"access_token": token, "refresh_token": refresh, "expires_in": 1800}
    return reply(200, body)


def test_a_refresh_token_that_is_replaced_is_not_used_again() -> None:
    expired = reply(401, {"category": "EXPIRED_AUTHENTICATION", "message": "expired"})
    ok = reply(200, {"results": []})
    script = [issued("a1", "r2"), ok, expired, issued("a2", "r3"), ok, issued("a3", "r3"), ok]
    with capture_logs() as logs, scripted(*script) as server:
        crm = client(server.url, refresh_token="r1")
        crm.call("GET", CONTACTS)
        crm.call("GET", CONTACTS)
        # A later run of the same process is made from the same configuration.
        client(server.url, refresh_token="r1").call("GET", CONTACTS)
        forms = [parse_qs(one.body.decode()) for one in server.asked if one.path == path("token")]
    assert [form["refresh_token"] for form in forms] == [["r1"], ["r2"], ["r3"]]
    assert {form["grant_type"][0] for form in forms} == {"refresh_token"}
    assert [one["event"] for one in logs] == ["auth.refresh_token_replaced"] * 2
    assert not any(token in str(logs) for token in ("r1", "r2", "r3"))


def test_the_sign_in_form_holds_any_character() -> None:
    secret = "a&b=c d+é%\u2028"
    with scripted(issued("a1", ""), reply(200, {})) as server:
        client(server.url, client_secret=secret).call("GET", CONTACTS)
        form = server.asked[0]
    assert parse_qs(form.body.decode())["client_secret"] == [secret]
    assert form.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in form.headers


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(200, {"token_type": "bearer"}), ServerFault),
        (reply(200, {"access_token": "two words"}), ServerFault),
        (reply(200, {"access_token": "x\r\nHost: evil.example"}), ServerFault),
        (reply(200, b"<html>Down for maintenance</html>"), ServerFault),
        (reply(200, [1]), ServerFault),
        (reply(503, b""), ServerFault),
        (reply(429, {"policyName": "SECONDLY"}), RateLimited),
        (reply(302, b"", {"Location": "https://elsewhere.example/"}), ConfigError),
        (reply(404, b"no"), ConfigError),
    ],
)
def test_an_answer_without_a_usable_token_is_no_refusal_of_credentials(
    answer: Reply, error: type[CrmSyncError]
) -> None:
    with scripted(answer) as server:
        with pytest.raises(error):
            client(server.url).call("POST", CONTACTS, body={}, writes=True)
        assert len(server.asked) == 1


def test_a_page_that_refuses_instead_of_hubspot_points_to_the_address() -> None:
    refusing = scripted(reply(403, b"<html>Forbidden</html>"))
    with refusing as server, pytest.raises(AccessDenied) as caught:
        client(server.url).call("GET", CONTACTS)
    assert "base_url" in caught.value.fix


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[str]:
    """A server with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "both.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_address[1]}"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


def test_a_certificate_that_nobody_vouches_for_is_sent_no_secret(encrypted: str) -> None:
    with pytest.raises(ConfigError, match="certificate") as caught:
        static(encrypted, CANARY).call("GET", CONTACTS)
    assert CANARY not in str(caught.value)


def test_speaking_https_to_a_plain_server_is_a_clear_error() -> None:
    with scripted(reply(200, {})) as server:
        plain = server.url.replace("http://", "https://")
        with pytest.raises(ServerFault, match="the encrypted connection failed"):
            static(plain, CANARY).call("GET", CONTACTS)
