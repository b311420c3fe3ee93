"""Splitting what the core asks for into what one call of a connector takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def split_ids(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The distinct ids (or values) in their order, `size` at a time."""
    distinct = list(dict.fromkeys(ids))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]
