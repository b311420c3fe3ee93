"""Sequences that are read when they are first looked at. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

T = TypeVar("T")


class _Lazy(Sequence[T]):
    """Behaves as the tuple that it is read as."""

    __slots__ = ("_load", "_values")

    _values: tuple[T, ...] | None

    def _load_all(self) -> Iterable[T]:
        raise NotImplementedError

    def _read(self) -> tuple[T, ...]:
        if self._values is None:
            self._values = tuple(self._load_all())
        return self._values

    def __len__(self) -> int:
        """How many there are."""
        return len(self._read())

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[T, ...]: ...
    def __getitem__(self, at: Any) -> Any:
        """One of them, or some as a tuple."""
        return self._read()[at]

    def __iter__(self) -> Iterator[T]:
        """Over the tuple, at its speed."""
        return iter(self._read())

    def __eq__(self, other: object) -> bool:
        """Whether it holds the same as another of its kind, or as a tuple."""
        if isinstance(other, _Lazy):
            return self._read() == other._read()
        return self._read() == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        """That of the tuple."""
        return hash(self._read())

    def __repr__(self) -> str:
        """That of the tuple."""
        return repr(self._read())


class FromText(_Lazy[T]):
    """Values kept as their text, which `load` reads."""

    __slots__ = ("text",)

    def __init__(self, text: str, load: Callable[..., Iterable[T]]) -> None:
        self.text = text
        self._load = load
        self._values: tuple[T, ...] | None = None

    def _load_all(self) -> Iterable[T]:
        return self._load(self.text)


class Later(_Lazy[T]):
    """`held` values that `load` brings; `digest` is over their content."""

    __slots__ = ("digest", "held")

    def __init__(self, held: int, digest: str, load: Callable[[], Iterable[T]]) -> None:
        self.held = held
        self.digest = digest
        self._load = load
        self._values: tuple[T, ...] | None = None

    def __len__(self) -> int:
        """How many there are; nothing is read for it."""
        return self.held

    def _load_all(self) -> Iterable[T]:
        return self._load()
