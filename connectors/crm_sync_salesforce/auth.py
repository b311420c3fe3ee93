"""Access tokens for one org, by the flow that the connection names."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from crm_sync.calls.tokens import Token, TokenProvider
from crm_sync.connector import AccessDenied, ServerFault
from crm_sync_salesforce.config import ClientCredentials, SalesforceConfig, SessionId, is_token
from crm_sync_salesforce.errors import error_for, not_json, problem_in
from crm_sync_salesforce.http import Answer, HttpClient

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 a path, not a secret

_CREDENTIALS_FIX = (
    "Check client_id and client_secret of the connection, and that the External Client App "
    "allows the client credentials flow and names the user to run as."
)
_SESSION_FIX = (
    "The session has ended and this sign-in cannot renew it: give a new session id, or use the "
    "client_credentials flow."
)


def token_provider(config: SalesforceConfig, http: HttpClient) -> TokenProvider:
    """The provider of this connection's tokens; nothing is sent until a token is needed.

    Raises `AccessDenied` (from the provider) in Salesforce's words when it refuses the
    credentials, or when a session given as it is has ended.
    """
    place = urlsplit(config.instance_url).netloc
    if isinstance(config.auth, ClientCredentials):
        auth = config.auth
        return TokenProvider(
            lambda: _client_credentials(auth, http, place), place=place, fix=_CREDENTIALS_FIX
        )
    return TokenProvider(_given_session(config.auth, place), place=place, fix=_SESSION_FIX)


def _client_credentials(auth: ClientCredentials, http: HttpClient, place: str) -> Token:
    answer = http.send(
        "POST",
        TOKEN_PATH,
        form={
            "grant_type": "client_credentials",
            "client_id": auth.client_id.get_secret_value(),
            "client_secret": auth.client_secret.get_secret_value(),
        },
    )
    if answer.status == 200:
        return _token_in(answer, place)
    told = problem_in(answer.body)
    if answer.status in {400, 401, 403} and told.code != "REQUEST_LIMIT_EXCEEDED":
        raise AccessDenied(
            f"Salesforce refused the credentials: {told.code or answer.status}"
            + (f", {told.message}" if told.message else ""),
            place=place,
            fix=_CREDENTIALS_FIX,
        )
    if answer.body is None and answer.status < 300:
        raise not_json(answer.status, writes=False, place=place)
    raise error_for(answer.status, answer.headers, answer.body, writes=False, place=place)


def _token_in(answer: Answer, place: str) -> Token:
    value = answer.body.get("access_token") if isinstance(answer.body, dict) else None
    if not isinstance(value, str) or not is_token(value):
        raise ServerFault("the answer to the sign-in holds no access token", place=place)
    return Token(value)


def _given_session(auth: SessionId, place: str) -> Callable[[], Token]:
    used = False

    def fetch() -> Token:
        nonlocal used
        if used:
            raise AccessDenied("the session id is no longer valid", place=place, fix=_SESSION_FIX)
        used = True
        return Token(auth.session_id.get_secret_value())

    return fetch
