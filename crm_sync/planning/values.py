"""When a value is no value."""

from __future__ import annotations

from crm_sync.compare import canonical
from crm_sync.model import Scalar


def is_blank(value: Scalar) -> bool:
    """Whether a field holds nothing; a box that is not ticked holds nothing either."""
    return canonical(value) in {"", "false"}
