"""How often people found each group of job changes right, and which groups have to wait.

Two shares are kept apart for each group, because people see what is in doubt far more often than
what is not: a rule whose doubtful cases are right nine times in ten may well go on by itself in the
others.

* **by itself**: what the evidence would have let go by itself, where somebody decided all the same;
* **in doubt**: what waited for a person anyway.

A group is demoted as soon as either share falls below its threshold. That takes `minimum` verdicts,
or fewer where already the upper bound of the interval lies below the threshold; never one alone,
which may be a slip of the hand. It comes back only when the share has been measured again, on
`minimum` verdicts, at or above the threshold: a few verdicts that no longer prove the fault do not
prove its absence. Only the `latest` verdicts count, so that a source that got better comes back.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from crm_sync.config import Precision
from crm_sync.model import Band
from crm_sync.verdicts.interval import Interval, clopper_pearson
from crm_sync.verdicts.verdict import Group, Verdict

FEWEST_WRONG = 2
"""So many wrong verdicts it takes at least, before there is a measure."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How many of the job changes that people decided on were right."""

    right: int = 0
    decided: int = 0

    @property
    def precision(self) -> float | None:
        """The share that was right, 0 to 1; None where nothing was decided."""
        return self.right / self.decided if self.decided else None

    @property
    def interval(self) -> Interval:
        """The exact two-sided 95 % interval of the share."""
        return clopper_pearson(self.right, self.decided)


@dataclass(frozen=True, slots=True)
class Share:
    """One of the two shares of a group: its latest verdicts, and whether they are too bad."""

    measure: Measure
    threshold: float
    fails: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a group stands. `total` counts all verdicts, the two shares the latest ones.

    `since` is when it was demoted, or came back; None where it never was.
    """

    group: Group
    total: Measure
    by_itself: Share
    in_doubt: Share
    since: datetime | None = None

    @property
    def demoted(self) -> bool:
        """Whether everything of this group waits for a person."""
        return self.by_itself.fails or self.in_doubt.fails

    @property
    def why(self) -> str:
        """What made it wait, in words; empty where it does not."""
        return " and ".join(
            f"{share.measure.right:,} of the latest {share.measure.decided:,} {words} "
            f"({percent(share.threshold)} are asked for)"
            for share, words in (
                (self.by_itself, "without a doubt"),
                (self.in_doubt, "with a doubt"),
            )
            if share.fails
        )


def percent(share: float) -> str:
    """A share in words: `97.5 %`."""
    return f"{share * 100:.4g} %"


def standings(verdicts: Iterable[Verdict], settings: Precision) -> list[Standing]:
    """The standing of every group that has a verdict, by group. The order does not matter."""
    grouped: dict[Group, list[Verdict]] = defaultdict(list)
    for one in verdicts:
        grouped[one.group].append(one)
    return [_standing(group, some, settings) for group, some in sorted(grouped.items())]


def demoted_groups(found: Iterable[Standing]) -> Mapping[tuple[str, str, str], str]:
    """The groups that have to wait, with the reason as the evidence tells it."""
    return {
        one.group: f"Measured: of what `{one.group.rule}` found in {one.group.source}, people "
        f"called right {one.why}; all of it waits since {one.since:%Y-%m-%d}"
        for one in found
        if one.demoted
    }


class _Watch:
    """One share as it went, verdict by verdict."""

    def __init__(self, threshold: float, settings: Precision) -> None:
        self.threshold, self.minimum = threshold, settings.minimum
        self.latest: deque[bool] = deque(maxlen=settings.latest)
        self.fails = False

    def take(self, some: Sequence[Verdict]) -> None:
        """What was decided at one time counts together: it has no order of its own."""
        self.latest.extend(one.right for one in some)
        measure = self.measure
        if measure.decided >= self.minimum:
            self.fails = (measure.precision or 0.0) < self.threshold
        elif measure.decided - measure.right >= FEWEST_WRONG:
            self.fails = self.fails or measure.interval.high < self.threshold

    @property
    def measure(self) -> Measure:
        return Measure(sum(self.latest), len(self.latest))

    @property
    def share(self) -> Share:
        return Share(self.measure, self.threshold, self.fails)


def _standing(group: Group, verdicts: list[Verdict], settings: Precision) -> Standing:
    by_itself = _Watch(getattr(settings, group.kind), settings)
    in_doubt = _Watch(settings.in_doubt, settings)
    since: datetime | None = None
    was = False
    in_order = sorted(verdicts, key=lambda one: (one.at, one.claim))
    for at, together in groupby(in_order, key=attrgetter("at")):
        some = list(together)
        by_itself.take([one for one in some if one.band is Band.AUTO])
        in_doubt.take([one for one in some if one.band is not Band.AUTO])
        now = by_itself.fails or in_doubt.fails
        since, was = (at if now != was else since), now
    total = Measure(sum(one.right for one in verdicts), len(verdicts))
    return Standing(group, total, by_itself.share, in_doubt.share, since)
