"""What a table of contacts holds, for who makes it and who judges it."""

from __future__ import annotations

AS_READ = (
    "first_name", "last_name", "name", "title", "email", "personal_email", "phone", "mobile",
    "linkedin_url", "city", "country",
)  # fmt: skip
"""The columns that one field of the contact fills, under the names that a mapping's `read` uses."""

CONTACT_COLUMNS = (
    "contact_id", *AS_READ, "organisation", "organisation_domain", "changed_basis",
)  # fmt: skip
"""All text columns; `changed_at` is a UTC timestamp beside them."""
