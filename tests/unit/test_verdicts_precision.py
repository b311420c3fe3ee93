"""Which groups have to wait: table by table, and what holds of any verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.config import Precision
from crm_sync.model import Band
from crm_sync.verdicts.precision import Measure, demoted_groups, standings
from crm_sync.verdicts.verdict import Group, Verdict

START = datetime(2026, 6, 1, 9, tzinfo=UTC)
MOVED = Group("vendor", "moved", "linkedin")


def said(words: str, band: Band = Band.AUTO, group: Group = MOVED) -> list[Verdict]:
    """One verdict a day: `+` is right, `-` wrong."""
    found = []
    for day, word in enumerate(words):
        at = START + timedelta(days=day)
        found.append(Verdict(f"{group}{day}{band}", 1, "c", group, band, 0.9, word == "+", "x", at))
    return found


def demoted(verdicts: Sequence[Verdict], settings: Precision | None = None) -> bool:
    (one,) = standings(verdicts, settings or Precision())
    return one.demoted


@pytest.mark.parametrize(
    ("words", "waits", "why"),
    [
        ("-", False, "one alone may be a slip of the hand"),
        ("--", True, "an upper bound of 0.84 lies below 0.98"),
        ("-" + "+" * 18, False, "19 are no measure, and prove nothing"),
        ("-" + "+" * 19, True, "19 of 20 is below 0.98"),
        ("+" * 20, False, "20 of 20"),
        ("-" + "+" * 49, False, "49 of 50 is 0.98"),
        ("-" + "+" * 48, True, "48 of 49 is not"),
        (
            "--" + "+" * 11,
            True,
            "11 of 13 prove nothing, so what was proved stays",
        ),
        ("+" * 11 + "--", False, "11 of 13 in another order: never proved"),
        ("--" + "+" * 97, True, "97 of 99"),
        ("--" + "+" * 98, False, "98 of 100: it is back"),
    ],
)
def test_what_goes_by_itself_waits_when_it_is_wrong_too_often(
    words: str, waits: bool, why: str
) -> None:
    assert demoted(said(words)) is waits, why


@pytest.mark.parametrize(
    ("words", "waits"),
    [
        ("--", False),  # an upper bound of 0.84
        ("---", True),  # 0.71
        ("-" * 4 + "+" * 16, False),  # 16 of 20 is 0.8
        ("-" * 5 + "+" * 15, True),
        ("-" * 5 + "+" * 20, False),  # 20 of 25: back
    ],
)
def test_what_is_in_doubt_has_a_threshold_of_its_own(words: str, waits: bool) -> None:
    assert demoted(said(words, Band.REVIEW)) is waits


def test_doubtful_cases_do_not_speak_for_those_without_a_doubt() -> None:
    doubtful = said("-" * 3 + "+" * 17, Band.REVIEW)
    assert not demoted([*said("+" * 20), *doubtful])
    (one,) = standings([*said("+" * 20), *doubtful], Precision())
    assert one.total == Measure(37, 40)
    assert (one.by_itself.measure, one.in_doubt.measure) == (Measure(20, 20), Measure(17, 20))


@pytest.mark.parametrize(("kind", "waits"), [("moved", True), ("left", True), ("retitled", False)])
def test_each_kind_has_its_threshold(kind: str, waits: bool) -> None:
    assert demoted(said("-" + "+" * 19, group=Group("vendor", kind, "linkedin"))) is waits


def test_groups_are_measured_apart() -> None:
    other_source = Group("other", "moved", "linkedin")
    other_rule = Group("vendor", "moved", "linkedin+work_email")
    found = standings(
        [*said("--"), *said("++", group=other_source), *said("+-", group=other_rule)], Precision()
    )
    assert {one.group: one.demoted for one in found} == {
        MOVED: True, other_source: False, other_rule: False,
    }  # fmt: skip


def test_only_the_latest_count() -> None:
    settings = Precision(minimum=20, latest=50)
    words = "-" * 30 + "+" * 49
    assert demoted(said(words[:-1]), settings)  # 48 of the latest 50
    assert not demoted(said(words), settings)
    (one,) = standings(said(words), settings)
    assert one.by_itself.measure == Measure(49, 50)
    assert one.total == Measure(49, 79)


def test_since_when_it_waits_and_since_when_it_is_back() -> None:
    (waiting,) = standings(said("+--+"), Precision(minimum=3))
    assert waiting.since == START + timedelta(days=2)
    (back,) = standings(said("--" + "+" * 8), Precision(minimum=5, moved=0.8))
    assert (back.demoted, back.since) == (False, START + timedelta(days=9))
    (never,) = standings(said("+++"), Precision())
    assert never.since is None


def test_what_is_decided_at_once_counts_together() -> None:
    at = START
    together = [
        Verdict(f"k{n:02}", 1, "c", MOVED, Band.AUTO, 0.9, n >= 2, "x", at) for n in range(100)
    ]
    assert not demoted(together)  # 98 of 100, although two wrong ones come first by key


def test_the_evidence_tells_the_counts_the_threshold_and_since_when() -> None:
    told = demoted_groups(standings(said("--") + said("+", Band.REVIEW), Precision()))
    assert list(told) == [("vendor", "moved", "linkedin")]
    assert told[MOVED] == (
        "Measured: of what `linkedin` found in vendor, people called right 0 of the latest 2 "
        "without a doubt (98 % are asked for); all of it waits since 2026-06-02"
    )


VERDICTS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([Band.AUTO, Band.REVIEW])), max_size=60
)


@given(VERDICTS, st.randoms(use_true_random=False))
def test_the_order_in_which_verdicts_are_handed_over_does_not_matter(
    some: list[tuple[bool, Band]], random: object
) -> None:
    verdicts = [
        Verdict(str(n), 1, "c", MOVED, band, 0.9, right, "x", START + timedelta(hours=n))
        for n, (right, band) in enumerate(some)
    ]
    shuffled = list(verdicts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert standings(shuffled, Precision()) == standings(verdicts, Precision())


@given(st.lists(st.booleans(), min_size=20, max_size=80))
def test_once_measured_a_right_one_never_demotes_and_a_wrong_one_never_restores(
    some: list[bool],
) -> None:
    settings = Precision(latest=1000)  # where none is forgotten
    words = "".join("+" if right else "-" for right in some)
    before = demoted(said(words), settings)
    assert before or not demoted(said(words + "+"), settings)
    assert not before or demoted(said(words + "-"), settings)
