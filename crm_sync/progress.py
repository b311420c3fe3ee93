"""How long work tells that it advances."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""Called with the stage in words, how much is done, and of how much (None: nobody knows)."""


def silent(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""
