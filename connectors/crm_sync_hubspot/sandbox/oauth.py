"""Who may call: bearer tokens, OAuth's end points, and the scopes that an app was granted."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from crm_sync.sandbox.http import HttpProblem, Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.dated import DATED
from crm_sync_hubspot.sandbox.problems import ApiProblem, not_found
from crm_sync_hubspot.sandbox.scopes import GRANTED, needed

if TYPE_CHECKING:
    from crm_sync_hubspot.sandbox.portal import Portal

REFRESH_TOKEN = "sandbox-refresh-token"  # noqa: S105 - the one that every sandbox knows
WRONG = "wrong"
"""As a token, a client secret, a code or a refresh token: refused."""
_TOKEN = rf"/oauth/(?:{DATED}|v\d)/token"
_ACCESS, _REFRESH = "access", "refresh"


class Tokens:
    """Access and refresh tokens; the database keeps digests only.

    A token that was issued here lives `settings.token_seconds`. Any other bearer token counts as
    a private app's and lives on, besides `wrong`.
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.revoked = False
        """True while the app has lost its access: no token is accepted and none is issued."""
        with portal.database.writing() as sql:
            _remember(sql, REFRESH_TOKEN, _REFRESH, None, REFRESH_TOKEN)

    def check(self, request: Request) -> None:
        """Raise 401 unless the request carries a living token, 403 when a scope is missing."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized(
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found. This API supports OAuth 2.0 authentication.",
            )
        late_ms = self._late(token)
        if late_ms is not None and late_ms >= 0:
            raise _unauthorized(
                "EXPIRED_AUTHENTICATION",
                f"The OAuth token used to make this call expired {late_ms // 1000} second(s) ago.",
            )
        if token == WRONG or self.revoked:
            raise _unauthorized(
                "INVALID_AUTHENTICATION", "The OAuth token used to make this call is invalid."
            )
        self._check_scopes(request)

    def expire(self) -> None:
        """Let every access token that was issued here be over; refresh tokens stay good."""
        with self._portal.database.writing() as sql:
            sql.execute(
                "UPDATE token SET expires_ms = min(expires_ms, ?) WHERE kind = ?",
                (self._portal.now_ms(), _ACCESS),
            )

    def revoke(self) -> None:
        """Take the app's access away: static and refresh tokens too, until `restore`."""
        self.revoked = True

    def restore(self) -> None:
        """Give the app its access again."""
        self.revoked = False

    def issue(self, request: Request) -> Response:
        """The token end point: `refresh_token` and `authorization_code`, form-encoded."""
        form = request.form
        grant = form.get("grant_type", "")
        if grant not in {"refresh_token", "authorization_code"}:
            raise _refused("BAD_GRANT_TYPE", "missing or unknown grant type", "invalid_request")
        if not form.get("client_id"):
            raise _refused("BAD_CLIENT_ID", "missing or invalid client id", "invalid_client")
        if form.get("client_secret", WRONG) == WRONG:
            raise _refused(
                "BAD_CLIENT_SECRET", "missing or invalid client secret", "invalid_client"
            )
        return json_response(
            self._issued(self._refresh_token(grant, form)), headers={"Cache-Control": "no-store"}
        )

    def introspect(self, request: Request) -> Response:
        """What the app may do with a token, in OAuth's own form."""
        token = request.form.get("token", "")
        if not self._good(token):
            return json_response({"active": False})
        return json_response({"active": True, **self._told(token)})

    def access_token(self, request: Request) -> Response:
        """What the app may do with an access token, in the older form. Raises 404 or 400."""
        token = request.args["token"]
        if not self._good(token):
            raise not_found("the access token is unknown or expired")
        return json_response(self._told(token))

    def refresh_token(self, request: Request) -> Response:
        """What a refresh token was issued for. Raises 404."""
        token = request.args["token"]
        if not self._knows_refresh(token):
            raise not_found("the refresh token is unknown")
        told = self._told(token)
        told.pop("expires_in", None)
        return json_response({**told, "client_id": "sandbox-client", "token_type": "refresh"})

    def forget(self, request: Request) -> Response:
        """Revoke one token, a refresh token with all that it gave; an unknown one is no error."""
        token = request.args.get("token") or request.form.get("token", "")
        with self._portal.database.writing() as sql:
            sql.execute(
                "DELETE FROM token WHERE value = ? AND kind = ?", (_digest(token), _REFRESH)
            )
            # What was issued stays known: a token that is not would count as a private app's.
            sql.execute(
                "UPDATE token SET expires_ms = ? WHERE kind = ? AND ? IN (value, refresh)",
                (self._portal.now_ms(), _ACCESS, _digest(token)),
            )
        return Response(204)

    def _refresh_token(self, grant: str, form: Mapping[str, str]) -> str:
        """The refresh token that the caller goes on with; a code gets a new one."""
        if grant == "refresh_token":
            given = form.get("refresh_token", "")
            if not self._knows_refresh(given):
                raise _refused(
                    "BAD_REFRESH_TOKEN", "missing or invalid refresh token", "invalid_grant"
                )
            return given
        if form.get("code", WRONG) == WRONG or self.revoked:
            raise _refused("BAD_AUTH_CODE", "missing or unknown auth code", "invalid_grant")
        made = secrets.token_urlsafe(24)
        with self._portal.database.writing() as sql:
            _remember(sql, made, _REFRESH, None, made)
        return made

    def _issued(self, refresh: str) -> dict[str, Any]:
        token = secrets.token_urlsafe(48)
        seconds = self._portal.settings.token_seconds
        with self._portal.database.writing() as sql:
            _remember(sql, token, _ACCESS, self._portal.now_ms() + seconds * 1000, refresh)
        return {
            "token_type": "bearer",
            "access_token": token,
            "refresh_token": refresh,
            "expires_in": seconds,
            "hub_id": self._portal.portal_id,
            "scopes": sorted(self._scopes()),
        }

    def _knows_refresh(self, token: str) -> bool:
        with self._portal.database.reading() as sql:
            row = sql.execute(
                "SELECT 1 FROM token WHERE value = ? AND kind = ?", (_digest(token), _REFRESH)
            ).fetchone()
        return row is not None and not self.revoked

    def _good(self, token: str) -> bool:
        late = self._late(token)
        return bool(token) and token != WRONG and not self.revoked and (late is None or late < 0)

    def _late(self, token: str) -> int | None:
        """Milliseconds since an issued token expired, below 0 before; None for a static one."""
        with self._portal.database.reading() as sql:
            row = sql.execute(
                "SELECT expires_ms FROM token WHERE value = ? AND kind = ?",
                (_digest(token), _ACCESS),
            ).fetchone()
        return None if row is None else self._portal.now_ms() - int(row[0])

    def _told(self, token: str) -> dict[str, Any]:
        late = self._late(token)
        left = self._portal.settings.token_seconds if late is None else max(0, -late // 1000)
        return {
            "token": token,
            "token_type": "access",
            "user": "integration@sandbox.invalid",
            "hub_domain": "sandbox.invalid",
            "hub_id": self._portal.portal_id,
            "app_id": 1,
            "user_id": 1,
            "expires_in": left,
            "scopes": sorted(self._scopes()),
        }

    def _scopes(self) -> frozenset[str]:
        return GRANTED - self._portal.settings.missing_scopes

    def _check_scopes(self, request: Request) -> None:
        missing = [
            scope
            for scope in needed(request.method, request.path)
            if scope in self._portal.settings.missing_scopes
        ]
        if missing:
            message = "One or more of the following scopes are required."
            raise ApiProblem(
                403,
                "MISSING_SCOPES",
                "This app hasn't been granted all required scopes to make this call. "
                "Read more about required scopes in the app's settings.",
                errors=[{"message": message, "context": {"requiredGranularScopes": missing}}],
            )


def oauth_routes(tokens: Tokens) -> list[Route]:
    """OAuth's end points; no bearer token is asked for and no allowance is used."""
    given = r"/oauth/v1/access-tokens/(?P<token>[^/]+)"
    kept = r"/oauth/v1/refresh-tokens/(?P<token>[^/]+)"
    return [
        route("POST", _TOKEN, "token", tokens.issue, public=True),
        route("POST", rf"{_TOKEN}/introspect", "token.introspect", tokens.introspect, public=True),
        route("POST", rf"{_TOKEN}/revoke", "token.revoke", tokens.forget, public=True),
        route("GET", kept, "token.refresh", tokens.refresh_token, public=True),
        route("DELETE", kept, "token.revoke", tokens.forget, public=True),
        route("GET", given, "token.access", tokens.access_token, public=True),
    ]


def _remember(
    sql: sqlite3.Connection, value: str, kind: str, expires_ms: int | None, refresh: str
) -> None:
    sql.execute(
        "INSERT OR REPLACE INTO token (value, kind, expires_ms, refresh) VALUES (?, ?, ?, ?)",
        (_digest(value), kind, expires_ms, _digest(refresh)),
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _unauthorized(category: str, message: str) -> ApiProblem:
    return ApiProblem(401, category, message)


def _refused(status: str, message: str, error: str) -> HttpProblem:
    """OAuth's 400: HubSpot's own words, and the standard's beside them."""
    body = {
        "status": status,
        "message": message,
        "correlationId": str(uuid4()),
        "error": error,
        "error_description": message,
    }
    return HttpProblem(400, body)
