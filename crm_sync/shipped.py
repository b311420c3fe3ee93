"""Files that come with crm-sync: mappings, playbooks and the example configuration."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """A shipped file, such as `mappings/salesforce.yaml`.

    In an installed wheel they lie inside the package, in a checkout beside it.
    """
    inside = _PACKAGE / "shipped" / name
    return inside if inside.exists() else _PACKAGE.parent / name
