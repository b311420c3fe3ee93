from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from structlog.testing import capture_logs

from crm_sync.connector import (
    AccessDenied,
    ConfigError,
    Entity,
    Outcome,
    ServerFault,
    WriteResult,
)
from crm_sync.errors import CrmSyncError
from crm_sync_salesforce import SalesforceConnector
from tests.support.salesforce_org import CANARY, Org, outcomes, retitle, seed, steady, titles


def test_eight_threads_with_an_ended_session_fetch_one_new_token(org: Org) -> None:
    crm = org.connect()
    ids = seed(crm, ["old"] * 8)
    tokens = org.calls()["POST token"]
    org.control("expire-sessions")
    got: list[Sequence[WriteResult]] = []
    start = threading.Barrier(8)

    def work(id: str) -> None:
        start.wait(timeout=10)
        got.append(crm.write(retitle([id])))

    threads = [threading.Thread(target=work, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert [outcomes(results) for results in got] == [[Outcome.APPLIED]] * 8
    assert org.calls()["POST token"] == tokens + 1
    assert titles(crm, ids) == ["new"] * 8


def test_wrong_credentials_are_told_in_salesforces_words_after_one_call(org: Org) -> None:
    crm = org.connect(secret="wrong")
    with pytest.raises(AccessDenied, match="invalid client credentials") as caught:
        steady(crm).read(Entity.CONTACT, ["003000000000001"], ["Title"])
    assert caught.value.exit_code == 5
    assert "client_secret" in caught.value.fix
    assert org.calls() == {"POST token": 1}


def test_tokens_that_are_always_refused_end_in_access_denied_without_a_loop(
    org: Org, crm: SalesforceConnector
) -> None:
    expired = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]
    org.fault("status", {"path": "/services/data"}, status=401, body=expired, times=0)
    with pytest.raises(AccessDenied, match="Session expired or invalid"):
        steady(crm).read(Entity.CONTACT, ["003000000000001"], ["Title"])
    assert org.calls() == {"POST token": 2, "POST collections.retrieve": 2}


def test_a_401_that_is_no_json_is_survived(org: Org, crm: SalesforceConnector) -> None:
    [id] = seed(crm, ["old"])
    org.fault("status", status=401, body="<html>no</html>")
    assert titles(crm, [id]) == ["old"]


def test_a_given_session_works_until_it_ends_and_then_says_what_to_do(org: Org) -> None:
    crm = org.connect(auth={"flow": "session_id", "session_id": "sandbox-session"})
    [id] = seed(crm, ["old"])
    org.control("expire-sessions")
    with pytest.raises(AccessDenied, match="no longer valid") as caught:
        steady(crm).write_chunk(retitle([id]))
    assert "session" in caught.value.fix
    assert titles(org.connect(), [id]) == ["old"]


def test_a_token_end_point_that_fails_leaves_a_write_not_sent(org: Org) -> None:
    crm = org.connect()
    org.fault("drop_after", {"path": "oauth2/token"}, times=0)
    with pytest.raises(ServerFault) as caught:
        crm.write(retitle(["003000000000001AAA"]))
    assert caught.value.sent is False


def test_no_secret_shows_in_any_error_or_log(org: Org) -> None:
    crm = org.connect(secret=CANARY)
    [id] = seed(crm, ["old"])
    shown: list[str] = [repr(crm), repr(vars(crm))]
    with capture_logs() as logs:
        for kind in ("drop_before", "drop_after", "status"):
            org.fault(kind, times=0)
            with pytest.raises(CrmSyncError) as caught:
                steady(crm).read(Entity.CONTACT, [id], ["Title"])
            shown += [str(caught.value), repr(caught.value), repr(caught.value.__context__)]
            requests.delete(f"{org.url}/sandbox/faults", timeout=10)
    with pytest.raises(AccessDenied) as denied:
        org.connect(auth={"flow": "session_id", "session_id": CANARY}).check()
    shown += [str(denied.value), repr(denied.value), *map(str, logs)]
    assert logs
    assert [text for text in shown if CANARY in text or "Bearer" in text] == []


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
        Org(encrypted).connect(secret=CANARY).check()
    assert CANARY not in str(caught.value)


def test_speaking_https_to_a_plain_server_is_a_clear_error(org: Org) -> None:
    plain = org.url.replace("http://", "https://")
    with pytest.raises(ServerFault, match="the encrypted connection failed"):
        Org(plain).connect().check()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"token_type": "Bearer"}, ServerFault),
        ({"access_token": "two words"}, ServerFault),
        ({"access_token": "x\r\nHost: evil.example"}, ServerFault),
        ("<html>Down for maintenance</html>", ServerFault),
    ],
)
def test_an_answer_without_a_usable_token_is_a_fault_of_the_server(
    org: Org, crm: SalesforceConnector, body: object, error: type[CrmSyncError]
) -> None:
    org.fault("status", {"path": "oauth2/token"}, status=200, body=body)
    with pytest.raises(error):
        crm.describe(Entity.CONTACT)


def test_a_user_without_api_access_is_told_what_to_ask_for(
    org: Org, crm: SalesforceConnector
) -> None:
    body = [{"errorCode": "API_DISABLED_FOR_ORG", "message": "The REST API is not enabled"}]
    org.fault("status", {"path": "/limits"}, status=403, body=body)
    with pytest.raises(AccessDenied, match="The REST API is not enabled") as caught:
        crm.check()
    assert "administrator" in caught.value.fix
