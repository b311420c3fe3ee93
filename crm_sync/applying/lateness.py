"""Until when a write without an answer may still be carried out.

A CRM goes on with a request after its caller has gone, up to a limit of its own. Before that time
a record that does not show the write says nothing: the write may land later, and over a person's
edit if it were taken for lost and sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from crm_sync.applying.work import Work
from crm_sync.model import Operation
from crm_sync.store.intents import Intent

PATIENCE = timedelta(seconds=30)
"""What is certain within this time is waited for; else the run ends and the next one looks."""


def quiet_at(work: Work, one: Intent) -> datetime:
    """From when on what the CRM shows of this write is final.

    A task is looked for as soon as it can be seen: with a unique key, made again while the first
    is still under way, one of the two is refused; without one it is not made again at all. Nor does
    a link that is made twice do harm.
    """
    able = work.crm.capabilities
    harmless = one.operation in (Operation.CREATE, Operation.LINK)
    late = 0.0 if harmless else able.late_seconds
    return _left_at(work, one) + timedelta(seconds=max(able.settle_seconds, late))


def wait(work: Work, ones: Sequence[Intent]) -> datetime:
    """Wait for what will soon be certain, and long enough to see what is soon carried out.

    At most `PATIENCE`. Returns the time then.
    """
    now = work.now()
    settle = timedelta(seconds=work.crm.capabilities.settle_seconds)
    limit = now + PATIENCE
    seen = [min(_left_at(work, one) + settle, limit) for one in ones]
    final = [at for one in ones if (at := quiet_at(work, one)) <= limit]
    until = max([now, *seen, *final])
    if until > now:
        work.sleep((until - now).total_seconds())
    return max(until, work.now())


def _left_at(work: Work, one: Intent) -> datetime:
    return one.left_at or work.now()
