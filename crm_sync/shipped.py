"""Files that come with crm-sync: mappings, playbooks and the example configuration."""

from __future__ import annotations

import re
from pathlib import Path

from crm_sync.errors import UsageError

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """A shipped file, such as `mappings/salesforce.yaml`.

    In an installed wheel they lie inside the package, in a checkout beside it.
    """
    inside = _PACKAGE / "shipped" / name
    return inside if inside.exists() else _PACKAGE.parent / name


def example_config(crm: str) -> str:
    """The example configuration with the connections to one kind of CRM only.

    Raises `UsageError` when the example shows no such connection.
    """
    text = shipped("config.example.yaml").read_text(encoding="utf-8")
    head, begin, rest = text.partition("connections:\n")
    end = re.search(r"^\w", rest, re.M)
    blocks = re.split(r"^(?=  [\w-]+:)", rest[: end.start()] if end else rest, flags=re.M)
    kinds = [re.findall(r"^    connector: ([\w-]+)$", block, re.M) for block in blocks]
    kept = [block for block, kind in zip(blocks, kinds, strict=True) if kind == [crm]]
    if not kept:
        known = ", ".join(sorted(kind[0] for kind in kinds if kind))
        raise UsageError(f"there is no example for `{crm}`", fix=f"There is one for: {known}.")
    return head + begin + "".join(kept) + (rest[end.start() :] if end else "")


def named_mappings(config: str) -> list[str]:
    """The mapping files that a configuration names, each once, in their order."""
    return list(dict.fromkeys(re.findall(r"\bmappings/\w+\.yaml", config)))
