"""What a portal tells of itself: its details, and how much of the daily allowance is used."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.dated import DATED

if TYPE_CHECKING:
    from crm_sync_hubspot.sandbox.limits import Limits
    from crm_sync_hubspot.sandbox.portal import Portal

ACCOUNT = rf"/account-info/(?:{DATED}|v3)"


def account_routes(portal: Portal, limits: Limits) -> list[Route]:
    """The account's end points."""

    def details(_: Request) -> Response:
        return json_response(
            {
                "portalId": portal.portal_id,
                "accountType": "SANDBOX",
                "timeZone": "Europe/Paris",
                "companyCurrency": "EUR",
                "additionalCurrencies": [],
                "utcOffset": "+01:00",
                "utcOffsetMilliseconds": 3_600_000,
                "uiDomain": "app.hubspot.com",
                "dataHostingLocation": "eu1",
            }
        )

    def usage(_: Request) -> Response:
        now = portal.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        used = {
            "name": "private-apps-api-calls-daily",
            "usageLimit": portal.settings.daily,
            "currentUsage": limits.used_today(),
            "collectedAt": _stamp(now),
            "fetchStatus": "SUCCESS",
            "resetsAt": _stamp(midnight),
        }
        return json_response({"results": [used]})

    return [
        route("GET", rf"{ACCOUNT}/details", "account", details),
        route("GET", rf"{ACCOUNT}/api-usage/daily/private-apps", "account.usage", usage),
    ]


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
