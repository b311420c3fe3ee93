"""A stand-in for HubSpot on loopback; see `HubSpotSandbox`."""

from __future__ import annotations

from crm_sync_hubspot.sandbox.app import HubSpotSandbox

__all__ = ["HubSpotSandbox"]
