"""The versions of HubSpot's dated API that are answered: any other is a typing error."""

from __future__ import annotations

DATED = "(?:2026-03|2026-09)"
"""As a regular expression, for the paths of end points."""
