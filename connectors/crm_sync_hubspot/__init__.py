"""The HubSpot connector of crm-sync."""
