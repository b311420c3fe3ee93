"""Random numbers of the synthetic world: a stream of its own for every purpose and index.

A stream depends on (seed, purpose, index) and on nothing else, so that contact 712,345 is the same
whether it is asked for alone or after the 712,344 before it, in any process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from random import Random
from typing import TypeVar

Item = TypeVar("Item")
Draw = Callable[[], float]
"""Returns the next number of a stream, uniform in [0, 1)."""

_SEED_MASK = 2**64 - 1
_MASK_32 = 2**32 - 1
_MASK_64 = 2**64 - 1


class Purpose(IntEnum):
    """What a stream of random numbers is for; one purpose never disturbs another."""

    ORGANISATION = 1
    COLLEAGUE = 2
    PERSON = 3
    CAREER = 4
    TYPING = 5
    VENDOR = 6
    STRANGER = 7


def stream(seed: int, purpose: Purpose, index: int = 0) -> Random:
    """The stream of this purpose and index; equal arguments give equal numbers everywhere."""
    return Random((seed & _SEED_MASK) << 72 | purpose << 64 | index)  # noqa: S311


def pick(items: Sequence[Item], number: float) -> Item:
    """The item at `number`, which lies in [0, 1)."""
    return items[int(number * len(items))]


def spread(number: float, low: int, high: int) -> int:
    """An integer in [low, high], both included, at `number` in [0, 1); `low` if the range is empty.

    The range may be empty at the edge of a very young career or a very short world.
    """
    return low if high <= low else low + int(number * (high - low + 1))


def scatter32(value: int, seed: int) -> int:
    """A bijection of the 32-bit integers: different values give different, unordered tokens."""
    mixed = (value ^ seed * 0x9E3779B1) & _MASK_32
    mixed = (mixed ^ mixed >> 16) * 0x85EBCA6B & _MASK_32
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35 & _MASK_32
    return mixed ^ mixed >> 16


def scatter64(value: int, seed: int) -> int:
    """A bijection of the 64-bit integers: different values give different, unordered tokens."""
    mixed = (value ^ seed * 0x9E3779B97F4A7C15) & _MASK_64
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK_64
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK_64
    return mixed ^ mixed >> 31
