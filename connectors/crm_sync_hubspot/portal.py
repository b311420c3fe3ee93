"""The portal that a connection speaks to, as it describes itself; asked once, when needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from threading import Lock
from typing import TYPE_CHECKING, Any

from crm_sync.connector import AccessDenied, ConfigError, TryLater
from crm_sync_hubspot.paths import path

if TYPE_CHECKING:
    from crm_sync_hubspot.client import HubSpotClient


class Portal:
    """Number, time zone and address of one portal; safe to share between threads.

    A portal that does not describe itself to this app has no number and is taken to keep UTC.
    `zone` and `details` raise `TryLater` when the portal cannot be asked.
    """

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client
        self._lock = Lock()
        self._details: Mapping[str, Any] | None = None
        self._away = False

    @property
    def zone(self) -> tzinfo:
        """The time zone in which the portal shows dates."""
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return ZoneInfo(str(self.details.get("timeZone") or "UTC"))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return UTC

    def address(self) -> tuple[int | None, str]:
        """The portal's number and the host of its pages, as far as they are known.

        Never raises: a portal that could not be asked once is not asked again for this, since
        addresses are wanted by the thousand.
        """
        try:
            details = {} if self._away else self.details
        except TryLater:
            self._away, details = True, {}
        number = details.get("portalId")
        return number if isinstance(number, int) else None, str(details.get("uiDomain") or "")

    @property
    def details(self) -> Mapping[str, Any]:
        """What the portal says of itself; empty where it does not tell this app."""
        with self._lock:
            if self._details is None:
                self._details = self._asked()
            return self._details

    def _asked(self) -> Mapping[str, Any]:
        try:
            body = self._client.call("GET", path("account")).body
        except (AccessDenied, ConfigError):
            return {}
        return body if isinstance(body, dict) else {}
