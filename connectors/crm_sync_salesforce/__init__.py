"""The Salesforce connector. Importing it is cheap: the vendor's client loads on `connect`."""

from __future__ import annotations

from crm_sync_salesforce.connector import SalesforceConnector

__all__ = ["SalesforceConnector"]
