"""How good the verdicts are, against the known truth of a synthetic world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crm_sync.model import Band, JobChange, JobChangeKind
from crm_sync.normalise.companies import company_key

if TYPE_CHECKING:
    from crm_sync.sandbox.world import WorldTruth

_KINDS = (JobChangeKind.MOVED, JobChangeKind.RETITLED, JobChangeKind.LEFT)


def score(
    verdicts: Iterable[JobChange],
    in_effect: Mapping[str, JobChangeKind],
    truth: Iterable[WorldTruth],
    world_ids: Mapping[str, str],
) -> dict[str, dict[str, Any]]:
    """Precision and recall per kind: of what goes by itself, and with what waits for review.

    `in_effect` are changes already written, by contact id: the CRM agrees with the source since,
    so that the latest verdict calls them unchanged; they count as what they were.

    A verdict is right when the kind is, and for a move the new employer too. `recall` is of all
    that really happened; `recall_of_visible` of what the vendor's file shows at all.
    """
    by_id = {one.contact_id: one for one in truth}
    judged = [(_first_said(one, in_effect), by_id[world_ids[one.contact_id]]) for one in verdicts]
    return {kind.value: _of_kind(kind, judged) for kind in _KINDS}


def _first_said(verdict: JobChange, in_effect: Mapping[str, JobChangeKind]) -> JobChange:
    kind = in_effect.get(verdict.contact_id)
    if kind is None or verdict.kind is not JobChangeKind.UNCHANGED:
        return verdict
    return replace(verdict, kind=kind, band=Band.AUTO)


def _of_kind(kind: JobChangeKind, judged: list[tuple[JobChange, WorldTruth]]) -> dict[str, Any]:
    real = sum(truth.kind is kind for _, truth in judged)
    visible = sum(truth.kind is kind and truth.findable for _, truth in judged)
    claimed = [(said, truth) for said, truth in judged if said.kind is kind]
    automatic = [pair for pair in claimed if pair[0].band is Band.AUTO]
    acted_on = [pair for pair in claimed if pair[0].band is not Band.IGNORED]
    return {
        "real": real,
        "visible": visible,
        "automatic": _measures(automatic, real, visible),
        "with_review": _measures(acted_on, real, visible),
    }


def _measures(
    claimed: list[tuple[JobChange, WorldTruth]], real: int, visible: int
) -> dict[str, Any]:
    right = sum(_is_right(said, truth) for said, truth in claimed)
    return {
        "claimed": len(claimed),
        "right": right,
        "precision": _share(right, len(claimed)),
        "recall": _share(right, real),
        "recall_of_visible": _share(right, visible),
    }


def _is_right(said: JobChange, truth: WorldTruth) -> bool:
    if said.kind is not truth.kind:
        return False
    if said.kind is not JobChangeKind.MOVED:
        return True
    return company_key(said.after.organisation) == company_key(truth.new_organisation)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
