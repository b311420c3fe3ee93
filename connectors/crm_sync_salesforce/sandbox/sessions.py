"""OAuth as far as machines use it: tokens for any client, sessions that can expire."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time

from crm_sync.sandbox.http import HttpProblem, Request, Response, json_response
from crm_sync_salesforce.sandbox.org import INTEGRATION_USER, ORGANIZATION, Org
from crm_sync_salesforce.sandbox.problems import ApiProblem

FIXED_SESSION = "sandbox-session"
WRONG_SECRET = "wrong"  # noqa: S105 - the secret that is always refused
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_NEEDED = {
    "client_credentials": ("client_id", "client_secret"),
    "password": ("client_id", "client_secret", "username", "password"),
    "refresh_token": ("client_id", "refresh_token"),
    _JWT_GRANT: ("assertion",),
}


class Sessions:
    """Access tokens, of which the database keeps digests only."""

    def __init__(self, org: Org, client_secret: str | None) -> None:
        self._org = org
        self._client_secret = client_secret
        self.lifetime: float | None = None
        with org.database.writing() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS _sessions (digest TEXT PRIMARY KEY, made REAL)"
            )
            _remember(connection, FIXED_SESSION)

    def token(self, request: Request) -> Response:
        """The token end point. Raises the 400 of OAuth (`{"error", "error_description"}`)."""
        form = request.form
        grant = form.get("grant_type", "")
        if grant not in _NEEDED:
            raise _refused("unsupported_grant_type", "grant type not supported")
        missing = [name for name in _NEEDED[grant] if not form.get(name)]
        if missing:
            raise _refused("invalid_request", f"missing: {', '.join(missing)}")
        secret = form.get("client_secret")
        expected = self._client_secret
        wrong = secret == WRONG_SECRET or (expected is not None and secret != expected)
        if wrong and "client_secret" in (*_NEEDED[grant], *form):
            raise _refused("invalid_client", "invalid client credentials")
        token = f"{ORGANIZATION[:15]}!{secrets.token_urlsafe(48)}"
        with self._org.database.writing() as connection:
            _remember(connection, token)
        return json_response(
            {
                "access_token": token,
                "instance_url": request.base_url,
                "id": f"{request.base_url}/id/{ORGANIZATION}/{INTEGRATION_USER}",
                "token_type": "Bearer",
                "scope": "api",
                "issued_at": str(int(self._org.now().timestamp() * 1000)),
            },
            headers={"Cache-Control": "no-store"},
        )

    def check(self, request: Request) -> None:
        """Raise the 401 unless the request carries a living session."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() in {"bearer", "oauth"} and token:
            with self._org.database.reading() as connection:
                row = connection.execute(
                    "SELECT made FROM _sessions WHERE digest = ?", (_digest(token.strip()),)
                ).fetchone()
            if row and (self.lifetime is None or time.time() - row[0] < self.lifetime):
                return
        raise ApiProblem(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def expire(self) -> None:
        """No session is accepted any more, not even the fixed one; new tokens are."""
        with self._org.database.writing() as connection:
            connection.execute("DELETE FROM _sessions")

    def restore(self) -> None:
        """Accept the fixed session again."""
        with self._org.database.writing() as connection:
            _remember(connection, FIXED_SESSION)


def _refused(error: str, description: str) -> HttpProblem:
    return HttpProblem(400, {"error": error, "error_description": description})


def _remember(connection: sqlite3.Connection, token: str) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO _sessions VALUES (?, ?)", (_digest(token), time.time())
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
