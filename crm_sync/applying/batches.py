"""In which order and in which portions changes go out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crm_sync.model import Change, Entity, Operation

PHASES = (Operation.DELETE, Operation.UPDATE, Operation.CREATE)
"""Deletes first: an undo goes backwards. Tasks last: they talk about what was written before."""


def phases(changes: Sequence[Change]) -> list[list[Change]]:
    """The changes by phase, in their own order within each; empty phases are left out."""
    split = [[one for one in changes if one.operation is phase] for phase in PHASES]
    return [phase for phase in split if phase]


def batches(changes: Sequence[Change], size: int) -> Iterator[list[Change]]:
    """Consecutive batches of one operation and entity, with no record twice in one of them.

    Two changes to one record would be one row's rejection in many CRMs, and the second has to see
    what the first did.
    """
    waiting = list(changes)
    while waiting:
        batch: list[Change] = []
        later: list[Change] = []
        records: set[tuple[Entity, str]] = set()
        for at, one in enumerate(waiting):
            if len(batch) == size:
                later += waiting[at:]
                break
            record = (one.entity, one.record_id)
            alike = not batch or (one.operation, one.entity) == _kind(batch[0])
            if alike and (not one.record_id or record not in records):
                batch.append(one)
                records.add(record)
            else:
                later.append(one)
        yield batch
        waiting = later


def _kind(one: Change) -> tuple[Operation, Entity]:
    return one.operation, one.entity
