"""When a value is no value, and when two names of a company are spellings of one."""

from __future__ import annotations

from crm_sync.compare import canonical
from crm_sync.model import Scalar
from crm_sync.names import company_key

__all__ = ["company_key", "is_blank"]


def is_blank(value: Scalar) -> bool:
    """Whether a field holds nothing; a box that is not ticked holds nothing either."""
    return canonical(value) in {"", "false"}
