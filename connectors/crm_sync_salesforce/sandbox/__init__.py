"""A stand-in for Salesforce on loopback; see `SalesforceSandbox`."""

from __future__ import annotations

from crm_sync_salesforce.sandbox.app import SalesforceSandbox

__all__ = ["SalesforceSandbox"]
