"""Measured precision as plain data, for `report --precision --json` and its table alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crm_sync.verdicts.precision import Measure, Share, Standing
from crm_sync.verdicts.verdict import Group


def precision_view(
    standings: Iterable[Standing], undone: Mapping[Group, int]
) -> list[dict[str, Any]]:
    """One entry for each group that people decided on, or undid something of, by group.

    Shares are 0 to 1; `precision` is null where nothing was decided.
    """
    entries = {one.group: _entry(one) for one in standings}
    for group in undone:
        entries.setdefault(group, _undecided(group))
    return [{**entry, "undone": undone.get(group, 0)} for group, entry in sorted(entries.items())]


def _entry(one: Standing) -> dict[str, Any]:
    return {
        **one.group._asdict(),
        **_measure(one.total),
        "demoted": one.demoted,
        "since": one.since.isoformat() if one.since else None,
        "why": one.why,
        "by_itself": _share(one.by_itself),
        "in_doubt": _share(one.in_doubt),
    }


def _undecided(group: Group) -> dict[str, Any]:
    """Nothing was decided, so nothing asks for the thresholds either."""
    return {
        **group._asdict(), **_measure(Measure()),
        "demoted": False, "since": None, "why": "", "by_itself": None, "in_doubt": None,
    }  # fmt: skip


def _share(share: Share) -> dict[str, Any]:
    return {**_measure(share.measure), "threshold": share.threshold, "fails": share.fails}


def _measure(measure: Measure) -> dict[str, Any]:
    low, high = measure.interval
    return {
        "decided": measure.decided,
        "right": measure.right,
        "precision": measure.precision,
        "low": low,
        "high": high,
    }
