"""Where a person sees a record in HubSpot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from crm_sync.connector import Entity
from crm_sync_hubspot.config import is_loopback
from crm_sync_hubspot.objects import OBJECTS, OWNERS, TYPE_IDS

if TYPE_CHECKING:
    from crm_sync_hubspot.config import HubSpotConfig
    from crm_sync_hubspot.portal import Portal

_HUBSPOT = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.hubspot\.com")


def record_url(config: HubSpotConfig, portal: Portal, entity: Entity, id: str) -> str:
    """The page of a record; costs a call the first time, unless the settings name the portal.

    Never raises: where the portal cannot be asked for its number, the address lacks it.
    """
    local = is_loopback(urlsplit(config.base_url).hostname or "")
    number, domain = config.portal_id, ""
    if number is None or (not local and _is_default(config.app_url)):
        told, domain = portal.address()
        number = number or told
    app = config.base_url if local else _app(config, domain)
    place = str(number) if number else "-"
    shown = quote(id, safe="")
    if OBJECTS.get(entity) == OWNERS:
        return f"{app}/settings/{place}/users?owner={shown}"
    type_id = TYPE_IDS.get(OBJECTS.get(entity, ""), "activity")
    return f"{app}/contacts/{place}/record/{type_id}/{shown}"


def _app(config: HubSpotConfig, domain: str) -> str:
    """Where its people work: as set, else where the portal says that it is hosted."""
    told = domain.lower()
    return (
        f"https://{told}"
        if _is_default(config.app_url) and _HUBSPOT.fullmatch(told)
        else (config.app_url)
    )


def _is_default(app_url: str) -> bool:
    return app_url == "https://app.hubspot.com"
