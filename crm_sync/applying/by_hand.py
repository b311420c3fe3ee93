"""What a person found in the CRM, where reading it cannot tell."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm_sync.errors import NotFound, Refused, UsageError
from crm_sync.store import journal, journal_entries
from crm_sync.store.database import Store
from crm_sync.store.intents import BY_HAND, Intent, Move
from crm_sync.store.states import State


def settle_by_hand(
    store: Store,
    connection: str,
    key_prefix: str,
    *,
    there: bool,
    run_id: int,
    now: datetime,
    by: str,
    late_seconds: float = 0.0,
) -> Intent:
    """Settle a write of unknown outcome by a person's word; returns its intent as it stands then.

    `there`: it is done, and never sent again. Nothing is known of a created record beyond that, so
    it is not read back, linked or deleted by an undo. Otherwise it was not carried out, and an
    apply may send it again. Who said so is kept in the journal's history.

    `key_prefix` is the beginning of the change's key. `late_seconds` is how long the CRM goes on
    with a request whose caller has gone: before that, `there=False` is `Refused`, since the write
    may still come. Raises `NotFound` when no write of unknown outcome has such a key, `UsageError`
    when several have, `Busy` when another process is at work on the connection.
    """
    with store.lock(connection):
        one = _wanted(store, connection, key_prefix)
        if not there:
            _refuse_early(one, now, late_seconds)
        said = f"{by} said: {'it is there' if there else 'it is not there'}"
        with store.begin() as tx:
            if one.state is State.SENDING:  # its process has ended: we hold the lock
                unknown = Move(one, State.UNKNOWN, code=BY_HAND, message=said)
                journal_entries.move(tx, run_id, [unknown], now)
                one = unknown.moved
            state = State.DONE if there else State.PLANNED
            move = Move(one, state, code=BY_HAND, message=said)
            journal_entries.move(tx, run_id, [move], now)
        return move.moved


def _wanted(store: Store, connection: str, key_prefix: str) -> Intent:
    with store.read() as tx:
        left = journal.open_intents(tx, connection)
    found = [one for one in left if key_prefix and one.key.startswith(key_prefix.lower())]
    if not found:
        raise NotFound(
            f"no write of unknown outcome begins with `{key_prefix}`",
            place=connection,
            fix="`crm-sync apply` tells them, with their ids.",
        )
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} writes of unknown outcome begin with `{key_prefix}`",
            place=connection,
            fix="Give more of the id.",
        )
    return found[0]


def _refuse_early(one: Intent, now: datetime, late_seconds: float) -> None:
    until = (one.left_at or now) + timedelta(seconds=late_seconds)
    if now < until:
        raise Refused(
            "the CRM may still carry it out",
            fix=f"Look again after {until + timedelta(seconds=59):%H:%M} UTC.",
        )
