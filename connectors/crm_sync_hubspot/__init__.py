"""The HubSpot connector. Importing it is cheap: the vendor's client loads on `connect`."""

from __future__ import annotations

from crm_sync_hubspot.connector import HubSpotConnector

__all__ = ["HubSpotConnector"]
