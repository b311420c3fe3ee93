"""Whether a field may be written: the one place where that is decided.

Each rule (field policy, human lock, blank over a value, band, mode) rules on its own; the
strictest ruling wins: skip before review before write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from crm_sync.compare import is_blank
from crm_sync.model import Band, Disposition, Mode, Policy, Scalar
from crm_sync.planning.locks import FREE, Lock, LockState


class Verdict(IntEnum):
    """What happens to a field, from lenient to strict."""

    WRITE = 0
    REVIEW = 1
    SKIP = 2


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict and its reasons in words; a field that is simply written has none."""

    verdict: Verdict
    why: tuple[str, ...] = ()


WRITE = Ruling(Verdict.WRITE)


def rule_on_field(
    *,
    policy: Policy,
    lock: Lock,
    band: Band,
    mode: Mode,
    before: Scalar,
    after: Scalar,
    verified: bool,
) -> Ruling:
    """What may be done about one field that would change from `before` to `after`.

    `verified` says that `before` is a value that we wrote ourselves and read back.
    """
    if policy is Policy.OVERWRITE and lock is FREE and (verified or not is_blank(after)):
        return rule_on_claim(band, mode)  # nothing else has a say: by far the most frequent case
    return strictest(
        (
            _by_policy(policy, before),
            _by_lock(lock),
            _by_blank(before, after, verified),
            _by_band(band),
            _by_mode(mode),
        )
    )


@cache
def rule_on_claim(band: Band, mode: Mode) -> Ruling:
    """What may be done about a claim as a whole, before any field of it is looked at."""
    return strictest((_by_band(band), _by_mode(mode)))


def strictest(rulings: Iterable[Ruling]) -> Ruling:
    """The strictest verdict among them, with the reasons of those that share it."""
    rulings = tuple(rulings)
    verdict = max((ruling.verdict for ruling in rulings), default=Verdict.WRITE)
    why = (reason for ruling in rulings if ruling.verdict == verdict for reason in ruling.why)
    return Ruling(verdict, tuple(dict.fromkeys(why)))


def disposition(rulings: Mapping[str, Ruling]) -> Disposition:
    """One field that needs a person holds back the whole record: half a claim is a wrong claim."""
    held = any(ruling.verdict is Verdict.REVIEW for ruling in rulings.values())
    return Disposition.REVIEW if held else Disposition.AUTO


def in_words(rulings: Mapping[str, Ruling]) -> str:
    """Why a person has to look and what is left alone, each reason once; by field name."""
    if len(rulings) > 1 and len(set(map(id, rulings.values()))) == 1:
        ruling = next(iter(rulings.values()))  # nearly always: the claim as a whole was ruled upon
        if ruling.verdict is not Verdict.SKIP:
            return "; ".join(ruling.why)
    told: list[str] = []
    for verdict, prefix in ((Verdict.REVIEW, ""), (Verdict.SKIP, "left alone: ")):
        of_verdict = [name for name, ruling in rulings.items() if ruling.verdict is verdict]
        by_reason: dict[str, list[str]] = {}
        for name in of_verdict:
            for reason in rulings[name].why:
                by_reason.setdefault(reason, []).append(name)
        for reason, names in by_reason.items():
            all_of_them = verdict is Verdict.REVIEW and len(names) == len(of_verdict) > 1
            told.append(reason if all_of_them else f"{prefix}{', '.join(names)} ({reason})")
    return "; ".join(told)


def _by_policy(policy: Policy, before: Scalar) -> Ruling:
    if policy is Policy.NEVER:
        return Ruling(Verdict.SKIP, ("its policy is never",))
    if policy is Policy.FILL_BLANK and not is_blank(before):
        return Ruling(Verdict.SKIP, ("its policy is fill_blank and it holds a value",))
    if policy is Policy.REVIEW:
        return Ruling(Verdict.REVIEW, ("its policy is review",))
    return WRITE


def _by_lock(lock: Lock) -> Ruling:
    if lock.state is LockState.LOCKED:
        return Ruling(Verdict.SKIP, (lock.why,))
    if lock.state is LockState.REOPENED:
        return Ruling(Verdict.REVIEW, (lock.why,))
    return WRITE


def _by_blank(before: Scalar, after: Scalar, verified: bool) -> Ruling:
    if is_blank(after) and not is_blank(before) and not verified:
        return Ruling(Verdict.REVIEW, ("a blank would replace a value that is not ours",))
    return WRITE


def _by_band(band: Band) -> Ruling:
    if band is Band.AUTO:
        return WRITE
    if band is Band.REVIEW:
        return Ruling(Verdict.REVIEW, ("the evidence is not strong enough to go unseen",))
    return Ruling(Verdict.SKIP, ("the evidence is too weak",))


def _by_mode(mode: Mode) -> Ruling:
    if mode is Mode.SHADOW:
        return Ruling(Verdict.REVIEW, ("the connection is in shadow mode",))
    return WRITE
