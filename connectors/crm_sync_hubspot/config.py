"""The settings of a HubSpot connection."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from crm_sync.connector import ConnectorConfig

PORTAL_LATE = 120.0
PORTAL_INDEX_DELAY = 60.0
SANDBOX_LATE = 2.0
SANDBOX_INDEX_DELAY = 3.0


class _Auth(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AccessToken(_Auth):
    """The token of a private app, a static-token app or a service key; it does not expire."""

    flow: Literal["token"]
    access_token: SecretStr = Field(min_length=1)

    @field_validator("access_token")
    @classmethod
    def _fit_for_a_header(cls, value: SecretStr) -> SecretStr:
        if not is_token(value.get_secret_value()):
            raise ValueError("should be an access token: one word of plain characters")
        return value


class RefreshToken(_Auth):
    """An app installed through OAuth; access tokens are fetched, and renew themselves."""

    flow: Literal["refresh_token"]
    client_id: SecretStr = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    refresh_token: SecretStr = Field(min_length=1)


class HubSpotConfig(ConnectorConfig):
    """Where the portal is and how to sign in. Times are in seconds.

    `portal_id` is the number in every address of the portal (Settings, Account); left out, it is
    asked for. `app_url` is where its people work. `read_timeout` is the longest silence while an
    answer is awaited. `index_delay_seconds` is how far HubSpot's search may lag behind its
    records: a pull covers what changed from so long before the last one asked.
    `lookback_seconds` is how much further back it goes. `settle_seconds` is how long a write may
    take to become visible to a read. `late_seconds` is how long HubSpot itself goes on with a
    request that nobody waits for any more; a write without an answer is not sent again before.
    Left out, the delays are those of a portal, and short ones toward this machine, where only a
    sandbox can be.
    """

    base_url: str = "https://api.hubapi.com"
    auth: Annotated[AccessToken | RefreshToken, Field(discriminator="flow")]
    portal_id: int | None = Field(None, gt=0)
    app_url: str = "https://app.hubspot.com"
    connect_timeout: float = Field(10.0, gt=0, le=120)
    read_timeout: float = Field(60.0, gt=0, le=600)
    page_size: int = Field(100, ge=10, le=100)
    index_delay_seconds: float | None = Field(None, ge=0, le=3600)
    lookback_seconds: float = Field(900.0, ge=0, le=86_400)
    settle_seconds: float = Field(5.0, ge=0, le=600)
    late_seconds: float | None = Field(None, ge=0, le=3600)

    @property
    def patience(self) -> float:
        """`late_seconds`, or what it is when left out."""
        if self.late_seconds is not None:
            return self.late_seconds
        return SANDBOX_LATE if self._is_local else PORTAL_LATE

    @property
    def index_delay(self) -> float:
        """`index_delay_seconds`, or what it is when left out."""
        if self.index_delay_seconds is not None:
            return self.index_delay_seconds
        return SANDBOX_INDEX_DELAY if self._is_local else PORTAL_INDEX_DELAY

    @property
    def _is_local(self) -> bool:
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @field_validator("base_url")
    @classmethod
    def _normal_base(cls, value: str) -> str:
        return normal_url(value, "https://api.hubapi.com")

    @field_validator("app_url")
    @classmethod
    def _normal_app(cls, value: str) -> str:
        return normal_url(value, "https://app.hubspot.com")


def normal_url(value: str, example: str) -> str:
    """`https://host[:port]`, without a trailing slash; `http` toward this machine only.

    Raises `ValueError` that says what to write instead. Addresses in digits are accepted toward
    this machine only: HubSpot has a name, and a mistyped number must not be sent a secret.
    """
    wanted = f"an address such as {example}"
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
    local = is_loopback(host)
    if url.scheme == "http" and not local:
        raise ValueError("should begin with https:// (http:// is accepted on loopback only)")
    if _is_address(host) and not local:
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
