"""The settings of a Salesforce connection."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from crm_sync.connector import ConnectorConfig


class _Auth(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClientCredentials(_Auth):
    """OAuth 2.0 client credentials of an External Client App; tokens renew themselves."""

    flow: Literal["client_credentials"]
    client_id: SecretStr = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)


class SessionId(_Auth):
    """A session id or access token as it is; when Salesforce ends the session, so does the run."""

    flow: Literal["session_id"]
    session_id: SecretStr = Field(min_length=1)

    @field_validator("session_id")
    @classmethod
    def _fit_for_a_header(cls, value: SecretStr) -> SecretStr:
        if not is_token(value.get_secret_value()):
            raise ValueError("should be a session id: one word of plain characters")
        return value


ORG_LATE = 600.0
SANDBOX_LATE = 2.0


class SalesforceConfig(ConnectorConfig):
    """Where the org is and how to sign in. Time-outs are in seconds.

    `read_timeout` is the longest silence while an answer is awaited. `settle_seconds` is how long a
    write may take to become visible. `late_seconds` is how long Salesforce itself goes on with a
    request that nobody waits for any more; a write without an answer is not sent again before.
    Left out, it is Salesforce's own limit of ten minutes, and two seconds toward this machine,
    where only a sandbox can be.
    """

    instance_url: str
    auth: Annotated[ClientCredentials | SessionId, Field(discriminator="flow")]
    api_version: str = Field("62.0", pattern=r"^[4-9]\d\.0$")
    connect_timeout: float = Field(10.0, gt=0, le=120)
    read_timeout: float = Field(120.0, gt=0, le=600)
    settle_seconds: float = Field(10.0, ge=0, le=600)
    late_seconds: float | None = Field(None, ge=0, le=3600)
    page_size: int = Field(2000, ge=200, le=2000)

    @property
    def patience(self) -> float:
        """`late_seconds`, or what it is when left out."""
        if self.late_seconds is not None:
            return self.late_seconds
        return SANDBOX_LATE if is_loopback(urlsplit(self.instance_url).hostname or "") else ORG_LATE

    @field_validator("api_version", mode="before")
    @classmethod
    def _version_as_text(cls, value: Any) -> Any:
        # Unquoted in YAML, 62.0 is a number.
        return f"{value:.1f}" if isinstance(value, int | float) else value

    @field_validator("instance_url")
    @classmethod
    def _normal_url(cls, value: str) -> str:
        return normal_instance_url(value)


def normal_instance_url(value: str) -> str:
    """`https://host[:port]`, without a trailing slash; `http` toward this machine only.

    Raises `ValueError` that says what to write instead. Addresses in digits are accepted toward
    this machine only: an org has a name, and a mistyped number must not be sent a secret.
    """
    wanted = "an address such as https://acme.my.salesforce.com"
    try:
        url = urlsplit(value.strip())
        host, port = (url.hostname or "").lower(), url.port
    except ValueError:
        raise ValueError(f"should be {wanted}") from None
    if url.scheme not in {"http", "https"} or not host:
        raise ValueError(f"should be {wanted}")
    if url.username is not None or url.password is not None:
        raise ValueError("should hold no user name or password; sign-in belongs under `auth`")
    if url.path.strip("/") or url.query or url.fragment:
        raise ValueError(f"should be {wanted}, without anything after the host")
    local, numeric = is_loopback(host), _is_address(host)
    if url.scheme == "http" and not local:
        raise ValueError("should begin with https:// (http:// is accepted on loopback only)")
    if numeric and not local:
        raise ValueError(f"should be {wanted}, by name and not by number")
    shown = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown}" + (f":{port}" if port else "")


def is_token(value: str) -> bool:
    """Whether a text can be sent as a bearer token: visible ASCII characters only."""
    return bool(value) and all("!" <= char <= "~" for char in value)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        # 2130706433, 0x7f.1 and the like are addresses to some resolvers.
        return all(part[:1].isdigit() for part in host.split("."))
    return True
