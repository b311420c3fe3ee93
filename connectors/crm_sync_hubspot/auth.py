"""Access tokens for one portal, by the flow that the connection names."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from crm_sync.calls.tokens import Token, TokenProvider, TokenRefused
from crm_sync.connector import AccessDenied, ServerFault
from crm_sync_hubspot.config import AccessToken, HubSpotConfig, RefreshToken, is_token
from crm_sync_hubspot.errors import NOT_HUBSPOT_FIX, error_for, not_json
from crm_sync_hubspot.http import Answer
from crm_sync_hubspot.problems import problem_in

T = TypeVar("T")

Ask = Callable[[dict[str, str]], Answer]
"""Puts a form to the token end point; the answer, whatever its status."""

_REFRESH_FIX = (
    "Check client_id, client_secret and refresh_token of the connection. A refresh token ends "
    "when the app is uninstalled from the portal: install it again and take the new one."
)
_GIVEN_FIX = (
    "The access token was rotated or deleted in HubSpot (Settings, Integrations), or belongs to "
    "another portal: give the connection the present one."
)


class RefreshTokens:
    """Refresh tokens that HubSpot gave in place of configured ones, for as long as we run.

    A connector is made anew for each run from the same configuration, which cannot be rewritten
    from here; the token in it may no longer be good once it has been replaced.
    """

    def __init__(self) -> None:
        self._latest: dict[str, str] = {}
        self._lock = Lock()

    def latest(self, configured: str) -> str:
        """The token to use where `configured` stands in the configuration."""
        with self._lock:
            return self._latest.get(configured, configured)

    def replace(self, configured: str, new: str) -> None:
        """From now on use `new`."""
        with self._lock:
            self._latest[configured] = new


REFRESH_TOKENS = RefreshTokens()


class GivenToken:
    """A token that cannot be renewed: refused once, it is refused for good."""

    def __init__(self, auth: AccessToken, place: str) -> None:
        self._token = Token(auth.access_token.get_secret_value())
        self._place = place

    def run(self, send: Callable[[Token], T]) -> T:
        """`send` with the token. Raises `AccessDenied` in HubSpot's words when it is refused."""
        try:
            return send(self._token)
        except TokenRefused as refusal:
            raise AccessDenied(
                f"HubSpot refused the access token: {refusal.message}",
                place=self._place,
                fix=_GIVEN_FIX,
            ) from None


def token_provider(config: HubSpotConfig, ask: Ask, place: str) -> TokenProvider | GivenToken:
    """The provider of this connection's tokens; nothing is sent until a token is needed.

    Raises `AccessDenied` (from the provider) in HubSpot's words when it refuses the credentials.
    """
    if isinstance(config.auth, AccessToken):
        return GivenToken(config.auth, place)
    auth = config.auth
    return TokenProvider(lambda: _refreshed(auth, ask, place), place=place, fix=_REFRESH_FIX)


def app_form(auth: AccessToken | RefreshToken) -> dict[str, str]:
    """What tells HubSpot which app asks, in a form of its token end points; empty without one."""
    if isinstance(auth, AccessToken):
        return {}
    return {
        "client_id": auth.client_id.get_secret_value(),
        "client_secret": auth.client_secret.get_secret_value(),
    }


def _refreshed(auth: RefreshToken, ask: Ask, place: str) -> Token:
    configured = auth.refresh_token.get_secret_value()
    used = REFRESH_TOKENS.latest(configured)
    answer = ask(
        {
            "grant_type": "refresh_token",
            "refresh_token": used,
            **app_form(auth),
        }
    )
    if answer.status != 200:
        raise _refusal(answer, place)
    value = _text_in(answer, "access_token")
    if not is_token(value):
        raise ServerFault("the answer to the sign-in holds no access token", place=place)
    replacement = _text_in(answer, "refresh_token")
    if replacement and replacement != used:
        _keep(configured, replacement)
    return Token(value)


def _keep(configured: str, replacement: str) -> None:
    import structlog

    REFRESH_TOKENS.replace(configured, replacement)
    structlog.get_logger("crm_sync.hubspot").warning(
        "auth.refresh_token_replaced",
        fix="HubSpot gave a new refresh token, which is used until this process ends. If signing "
        "in fails after that, install the app again and configure its new refresh token.",
    )


def _refusal(answer: Answer, place: str) -> Exception:
    told = problem_in(answer.body)
    if answer.status in {400, 401, 403}:
        return AccessDenied(
            f"HubSpot refused the credentials: {told.told or answer.status}",
            place=place,
            fix=_REFRESH_FIX if told.told else NOT_HUBSPOT_FIX,
        )
    if answer.body is None and answer.status < 300:
        return not_json(answer.status, writes=False, place=place)
    return error_for(answer.status, answer.headers, answer.body, writes=False, place=place)


def _text_in(answer: Answer, name: str) -> str:
    value = answer.body.get(name) if isinstance(answer.body, dict) else None
    return value if isinstance(value, str) else ""
