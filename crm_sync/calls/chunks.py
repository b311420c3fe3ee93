"""Splitting what the core asks for into what one call of a connector takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crm_sync.connector import Ref, Write


def split_ids(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The distinct ids (or values) in their order, `size` at a time."""
    distinct = list(dict.fromkeys(ids))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def split_writes(writes: Sequence[Write], size: int) -> Iterator[Sequence[Write]]:
    """The writes in their order, in chunks of one operation and one entity, `size` at most.

    A record (or a link between two) comes at most once in a chunk, since CRMs refuse a batch that
    names it twice. Order is kept rather than chunks filled: a later write may rest on an earlier.
    """
    chunk: list[Write] = []
    ids: set[tuple[str, Ref | None]] = set()
    for write in writes:
        same_kind = not chunk or (write.operation, write.entity) == (
            chunk[0].operation,
            chunk[0].entity,
        )
        named = (write.record_id, write.to)
        if not same_kind or len(chunk) == size or named in ids:
            yield chunk
            chunk, ids = [], set()
        chunk.append(write)
        if write.record_id:
            ids.add(named)
    if chunk:
        yield chunk
