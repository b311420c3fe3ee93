"""What training learnt, as a document that any SQL dialect can use."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TrainedLevel:
    """How often pairs of the same person (`m`) and of two people (`u`) agree to this degree."""

    label: str
    m: float
    u: float

    @property
    def weight(self) -> float:
        """What this agreement says, in bits."""
        return math.log2(self.m / self.u)


@dataclass(frozen=True, slots=True)
class TrainedField:
    """A field's levels, strongest first; shares of its common values, and of any rarer one."""

    name: str
    kind: str
    levels: tuple[TrainedLevel, ...]
    frequencies: Mapping[str, float] = field(default_factory=dict)
    rare: float | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """Parameters of a model. `prior` is the chance that any two rows are the same person."""

    prior: float
    fields: tuple[TrainedField, ...]
    pairs: int = 0

    @property
    def prior_weight(self) -> float:
        """The prior in bits."""
        return math.log2(self.prior / (1 - self.prior))

    def to_json(self) -> str:
        """The parameters as JSON text, the same for equal parameters."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Trained:
        """Read what `to_json` wrote; raises `ValueError` for anything else."""
        try:
            given = json.loads(text)
            return cls(
                prior=float(given["prior"]),
                fields=tuple(_field(one) for one in given["fields"]),
                pairs=int(given["pairs"]),
            )
        except (KeyError, TypeError) as problem:
            raise ValueError(f"no trained parameters: {problem}") from None


def _field(given: Mapping[str, Any]) -> TrainedField:
    levels = (TrainedLevel(one["label"], one["m"], one["u"]) for one in given["levels"])
    return TrainedField(
        given["name"], given["kind"], tuple(levels), given["frequencies"], given["rare"]
    )
