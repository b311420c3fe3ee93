"""crm-sync: keeps the contacts of a CRM true when people change job."""

__version__ = "0.1.0"
