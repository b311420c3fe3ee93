"""A model and its parameters in Splink's terms, for any of its dialects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm_sync.matching.probabilistic.model import Field, LinkModel
from crm_sync.matching.probabilistic.trained import Trained, TrainedField

if TYPE_CHECKING:
    from splink import SettingsCreator
    from splink.internals.comparison_level_creator import ComparisonLevelCreator

LEFT, RIGHT = "left", "right"
"""What the two tables are called in the keys of pairs; Splink wants them in alphabetical order."""


def splink_settings(
    model: LinkModel,
    trained: Trained | None = None,
    strangers: Mapping[str, Sequence[float]] | None = None,
) -> SettingsCreator:
    """Settings for `Linker`: with `trained` for scoring, without for training.

    `strangers` says per field how often two people agree to each degree, where that is known.
    """
    from splink import SettingsCreator

    known = {one.name: one for one in trained.fields} if trained else {}
    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="id",
        comparisons=[
            _comparison(one, known.get(one.name), (strangers or {}).get(one.name))
            for one in model.fields
        ],
        blocking_rules_to_generate_predictions=[],
        probability_two_random_records_match=trained.prior if trained else 0.0001,
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=True,
        max_iterations=50,
    )


def _comparison(
    field: Field, trained: TrainedField | None, strangers: Sequence[float] | None
) -> Any:
    from splink.comparison_library import CustomComparison

    levels = _levels(field)
    for number, level in enumerate(levels):
        if trained is not None:
            known = trained.levels[number]
            level.configure(m_probability=known.m, u_probability=known.u)
        if strangers is not None:
            level.configure(u_probability=strangers[number])
    if trained is not None and trained.rare is not None:
        levels[0].configure(tf_adjustment_column=field.name, tf_adjustment_weight=1.0)
    return CustomComparison(
        output_column_name=field.name, comparison_levels=[_absent(field), *levels]
    )


def _absent(field: Field) -> ComparisonLevelCreator:
    from splink import comparison_level_library as library

    return library.NullLevel(field.name)


def _levels(field: Field) -> list[Any]:
    """Comparison levels in the order of `LEVELS`, in functions that every dialect has."""
    from splink import comparison_level_library as library

    name = field.name
    same, other = library.ExactMatchLevel(name), library.ElseLevel()

    def off(letters: int) -> Any:
        return library.LevenshteinLevel(name, letters)

    def similar(share: float) -> Any:
        return library.JaroWinklerLevel(name, share)

    close = library.Or(off(1), similar(0.92))
    match field.kind:
        case "name" | "text":
            return [same, close, similar(0.84), other]
        case "given":
            forms = library.ArrayIntersectLevel(f"{name}_forms", min_intersection=1)
            return [same, forms, close, library.CustomLevel(_initial(name)), other]
        case "date":
            return [same, off(1), off(2), other]
        case "any":
            return [library.ArrayIntersectLevel(name, min_intersection=1), other]
        case _:
            return [same, other]


def _initial(name: str) -> str:
    return (
        f"(length({name}_l) = 1 OR length({name}_r) = 1) "
        f"AND substr({name}_l, 1, 1) = substr({name}_r, 1, 1)"
    )
