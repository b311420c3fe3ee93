"""What is compared between two tables, and which pairs are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["name", "given", "text", "exact", "date", "any"]

LEVELS: dict[Kind, tuple[str, ...]] = {
    "name": ("same", "close", "similar", "other"),
    "given": ("same", "other form", "close", "initial", "other"),
    "text": ("same", "close", "similar", "other"),
    "exact": ("same", "other"),
    "date": ("same", "one digit off", "two digits off", "other"),
    "any": ("in common", "none in common"),
}
"""The levels of agreement of each kind, the strongest first; an absent value is no level."""


@dataclass(frozen=True, slots=True)
class Field:
    """One compared column.

    `kind`: *name* and *text* know spellings that are close, *given* a first name, whose other forms
    stand in the column `<name>_forms` (VARCHAR[]), *date* ISO text, *any* VARCHAR[] of which one
    in common is enough, *exact* equal or not. With `frequencies` a rare value that agrees says more
    than a common one.
    """

    name: str
    kind: Kind
    frequencies: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return (self.name, f"{self.name}_forms") if self.kind == "given" else (self.name,)

    @property
    def is_list(self) -> bool:
        """Whether its column holds lists."""
        return self.kind == "any"


@dataclass(frozen=True, slots=True)
class LinkModel:
    """Fields that are compared, and blocks: columns on which a pair must agree to be looked at.

    A pair is looked at if it agrees on all columns of *some* block; a list column agrees by one
    value. A block's key that more than `most_pairs_per_block` pairs share is narrowed by the first
    column of `narrowing` that leaves fewer, else dropped. `training_blocks` hold no list columns;
    each field must be absent from one of them at least, or it cannot be estimated.
    """

    fields: tuple[Field, ...]
    blocks: tuple[tuple[str, ...], ...]
    training_blocks: tuple[tuple[str, ...], ...]
    most_pairs_per_block: int = 100_000
    narrowing: tuple[str, ...] = ()

    @property
    def compared(self) -> tuple[str, ...]:
        """Every column that a comparison reads."""
        return tuple(dict.fromkeys(column for one in self.fields for column in one.columns))
