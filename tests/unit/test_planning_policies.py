"""What may be written: policies, the human lock, bands and modes; sameness."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.compare import is_blank, same
from crm_sync.model import Band, Baseline, Disposition, Mode, Policy, Scalar
from crm_sync.normalise.companies import company_key
from crm_sync.planning.locks import FREE, Lock, LockState, lock_of
from crm_sync.planning.policies import Ruling, Verdict, disposition, in_words, rule_on_field

SEEN = datetime(2025, 1, 1, tzinfo=UTC)
EDITED = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
LOCKED = Lock(LockState.LOCKED, EDITED, "edited")
REOPENED = Lock(LockState.REOPENED, EDITED, "edited, newer evidence")
WRITE, REVIEW, SKIP = Verdict.WRITE, Verdict.REVIEW, Verdict.SKIP


def _rule(
    policy: Policy = Policy.OVERWRITE,
    lock: Lock = FREE,
    band: Band = Band.AUTO,
    mode: Mode = Mode.REVIEW,
    before: Scalar = "old",
    after: Scalar = "new",
    verified: bool = False,
) -> Ruling:
    return rule_on_field(
        policy=policy,
        lock=lock,
        band=band,
        mode=mode,
        before=before,
        after=after,
        verified=verified,
    )


@pytest.mark.parametrize(
    ("policy", "before", "free", "reopened", "locked"),
    [
        (Policy.OVERWRITE, "old", WRITE, REVIEW, SKIP),
        (Policy.OVERWRITE, None, WRITE, REVIEW, SKIP),
        (Policy.FILL_BLANK, "old", SKIP, SKIP, SKIP),
        (Policy.FILL_BLANK, " ", WRITE, REVIEW, SKIP),
        (Policy.FILL_BLANK, False, WRITE, REVIEW, SKIP),
        (Policy.REVIEW, "old", REVIEW, REVIEW, SKIP),
        (Policy.NEVER, "old", SKIP, SKIP, SKIP),
        (Policy.NEVER, None, SKIP, SKIP, SKIP),
    ],
)
def test_the_strictest_of_policy_and_lock_wins(
    policy: Policy, before: Scalar, free: Verdict, reopened: Verdict, locked: Verdict
) -> None:
    rulings = [_rule(policy, lock, before=before) for lock in (FREE, REOPENED, LOCKED)]
    assert [ruling.verdict for ruling in rulings] == [free, reopened, locked]
    assert all(bool(ruling.why) == (ruling.verdict is not WRITE) for ruling in rulings)


@pytest.mark.parametrize(
    ("band", "shadow", "review", "auto"),
    [
        (Band.AUTO, REVIEW, WRITE, WRITE),
        (Band.REVIEW, REVIEW, REVIEW, REVIEW),
        (Band.IGNORED, SKIP, SKIP, SKIP),
    ],
)
def test_only_the_auto_band_goes_unseen_and_never_in_shadow_mode(
    band: Band, shadow: Verdict, review: Verdict, auto: Verdict
) -> None:
    verdicts = [
        _rule(band=band, mode=mode).verdict for mode in (Mode.SHADOW, Mode.REVIEW, Mode.AUTO)
    ]
    assert verdicts == [shadow, review, auto]


def test_a_blank_replaces_unseen_only_what_we_wrote_ourselves() -> None:
    assert _rule(after=None, verified=True).verdict is WRITE
    assert _rule(after="", verified=False).verdict is REVIEW
    assert _rule(after=None, before="", verified=False).verdict is WRITE


@given(
    st.sampled_from(Policy),
    st.sampled_from([FREE, LOCKED, REOPENED]),
    st.sampled_from(Band),
    st.sampled_from(Mode),
    st.sampled_from(["old", None, "", True]),
)
def test_no_combination_is_more_lenient_than_its_strictest_part(
    policy: Policy, lock: Lock, band: Band, mode: Mode, before: Scalar
) -> None:
    alone = (_rule(policy, before=before), _rule(lock=lock), _rule(band=band), _rule(mode=mode))
    together = _rule(policy, lock, band, mode, before=before)
    assert together.verdict is max(ruling.verdict for ruling in alone)


def test_one_field_in_review_holds_the_whole_record_and_both_are_said() -> None:
    rulings = {
        "title": Ruling(REVIEW, ("its policy is review",)),
        "moved": Ruling(WRITE),
        "evidence": Ruling(SKIP, ("its policy is never",)),
    }
    assert disposition(rulings) is Disposition.REVIEW
    assert in_words(rulings) == (
        "title (its policy is review); left alone: evidence (its policy is never)"
    )
    assert disposition({"moved": rulings["moved"], "evidence": rulings["evidence"]}) is (
        Disposition.AUTO
    )


def _baseline(edited_at: datetime | None, live: Scalar = None) -> Baseline:
    return Baseline("base", "seen", SEEN, edited_at, live)


@pytest.mark.parametrize(
    ("baseline", "live", "as_of", "state"),
    [
        (None, "anything", None, LockState.FREE),
        (_baseline(None), "base", date(2026, 1, 1), LockState.FREE),
        (_baseline(None), "base ", None, LockState.FREE),
        (_baseline(None), "other", date(2030, 1, 1), LockState.LOCKED),
        (_baseline(EDITED, "other"), "other", date(2026, 3, 9), LockState.LOCKED),
        (_baseline(EDITED, "other"), "other", date(2026, 3, 10), LockState.LOCKED),
        (_baseline(EDITED, "other"), "other", date(2026, 3, 11), LockState.REOPENED),
        (_baseline(EDITED, "other"), "other", None, LockState.LOCKED),
    ],
)
def test_an_edit_locks_until_evidence_of_a_later_day(
    baseline: Baseline | None, live: Scalar, as_of: date | None, state: LockState
) -> None:
    lock = lock_of(baseline, live, as_of)
    assert lock.state is state
    assert ("edited" in lock.why) == (state is not LockState.FREE)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("", None, True),
        ("  ", None, True),
        ("true", True, True),
        ("FALSE", False, True),
        (5, 5.0, True),
        ("5", 5, True),
        ("2025-01-03", "2025-01-03T00:00:00.000+0000", True),
        ("2025-01-03T10:00:00Z", "2025-01-03T12:00:00+02:00", True),
        ("a\r\nb ", "a\nb", True),
        ("CFO", "cfo", False),
        ("007", 7, False),
        (False, None, False),
        ("2025-01-03", "2025-01-04", False),
    ],
)
def test_values_are_the_same_when_a_person_would_see_the_same(
    one: Scalar, other: Scalar, equal: bool
) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal


def test_a_box_that_is_not_ticked_is_blank_and_a_zero_is_not() -> None:
    assert all(is_blank(value) for value in (None, "", " \n", False, "false"))
    assert not any(is_blank(value) for value in (0, "0", True, "no"))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("Norvex", "NORVEX SAS", True),
        ("Norvex, Inc.", "norvex", True),
        ("Société Norvéx", "SOCIETE NORVEX", True),
        ("SA Norvex", "Norvex S.A.", True),
        ("Norvex", "Norvex France", False),
        ("SAS", "SA", False),
    ],
)
def test_company_names_are_compared_without_case_accents_and_legal_form(
    one: str, other: str, equal: bool
) -> None:
    assert (company_key(one) == company_key(other)) is equal
