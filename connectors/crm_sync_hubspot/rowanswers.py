"""HubSpot's answer to a batch, told row by row.

A batch may succeed in part under 200, 201 and 207 alike, its results come in any order, and its
errors name rows by their ids or by the trace that we sent along. What an answer does not tell is
`unknown`, never guessed: the core then reads the record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sync.connector import BatchRejected, Outcome, ServerFault, Write, WriteResult
from crm_sync_hubspot.errors import RefusedBatch, hint
from crm_sync_hubspot.problems import Problem, problem_in
from crm_sync_hubspot.records import is_unfinished

TRACE = "objectWriteTraceId"

_RECORD_KEYS = ("id", "ids", TRACE)
_LINK_KEYS = ("fromObjectId", "toObjectId", "fromId", "toId", "from", "to")

_PASSING = frozenset({"LOCKED", "RATE_LIMITS", "TIMEOUT", "INTERNAL_ERROR"})
"""Codes of refused rows that time mends."""

_REFUSED, _NO_REASON = "REFUSED", "refused without a reason"
"""Said of a row where HubSpot itself says no more."""

_TOLD = 3
"""So many reasons are told of a row that one of several errors refused."""


@dataclass(frozen=True, slots=True)
class RowError:
    """One error of a batch: what it calls rows by, its code and HubSpot's words.

    With `pairs` it names both ends of links, and a link is meant only if both ends are its own.
    """

    names: frozenset[str]
    code: str
    message: str
    taken: bool = False
    pairs: bool = False

    def is_about(self, names: frozenset[str]) -> bool:
        """Whether it means the row that can be called by any of `names` (a link: by all)."""
        if self.pairs and names:
            return names <= self.names or (bool(self.names) and self.names <= names)
        return bool(self.names & names)


def settled(
    writes: Sequence[Write],
    names: Sequence[frozenset[str]],
    written: Sequence[str | None],
    body: Any,
) -> list[WriteResult]:
    """One result per write, in order.

    `names` are what an error can call each write by; `written` is the id of each record that the
    answer says was written. Raises `ServerFault` (sent) for an answer of another shape.
    """
    errors = errors_in(body)
    own = [next((error for error in errors if error.is_about(one)), None) for one in names]
    untold = sum(not (record_id or error) for record_id, error in zip(written, own, strict=True))
    # Rows may still come after an unfinished answer; and errors that name no row, fewer than the
    # rows that are left, leave open which of them they mean.
    certain = untold <= unattributed(body, errors, names) and not is_unfinished(body)
    among = _one_of(_nameless(errors, names)) if certain else None
    return [
        _result(write, record_id, error or (None if record_id else among))
        for write, record_id, error in zip(writes, written, own, strict=True)
    ]


def rejected(
    write: Write, code: str, message: str, *, taken: bool = False, retry: bool = False
) -> WriteResult:
    """A row that was certainly not carried out; it keeps the id that we asked for, no other."""
    return WriteResult(
        Outcome.REJECTED,
        record_id=write.record_id,
        code=code,
        message=message,
        hint=hint(code),
        duplicate_key=taken,
        retry=retry or code in _PASSING,
    )


def refused_alone(write: Write, refusal: BatchRejected) -> WriteResult:
    """A batch of this one row, refused as a whole."""
    if not isinstance(refusal, RefusedBatch):
        return rejected(write, refusal.code, refusal.message)
    code = _telling(refusal.problem) or refusal.code
    return rejected(write, code, refusal.message, taken=refusal.problem.taken)


def errors_in(body: Any) -> list[RowError]:
    """The errors of a batch answer, also of one that came under 200."""
    told = body.get("errors") or () if isinstance(body, Mapping) else None
    if not isinstance(told, list | tuple) or not isinstance(body.get("results", []), list):
        raise ServerFault("the answer does not tell every row's outcome", sent=True)
    errors = [_row_error(one) for one in told if isinstance(one, Mapping)]
    if not errors and _count(body):
        errors = [RowError(frozenset(), _REFUSED, _NO_REASON)]
    return errors


def unattributed(
    body: Mapping[str, Any], errors: Sequence[RowError], names: Sequence[frozenset[str]]
) -> int:
    """How many refusals the answer tells of without saying which of these rows they mean.

    HubSpot counts errors, of which one may name several rows; it may list fewer than it counts.
    """
    nameless = len(_nameless(errors, names))
    rows = sum(any(error.is_about(one) for error in errors) for one in names)
    return max(nameless, _count(body) - max(len(errors) - nameless, rows))


def results_in(body: Any) -> list[Mapping[str, Any]]:
    """The rows that an answer says were written."""
    rows = body.get("results") if isinstance(body, Mapping) else None
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _result(write: Write, record_id: str | None, error: RowError | None) -> WriteResult:
    if record_id is not None and error is None:
        return WriteResult(Outcome.APPLIED, record_id=record_id)
    if error is not None and record_id is None:
        return rejected(write, error.code, error.message, taken=error.taken)
    told = "calls this row written and refused at once" if error else "says nothing of this row"
    return WriteResult(
        Outcome.UNKNOWN, write.record_id, code="NO_ANSWER", message=f"the answer {told}"
    )


def _count(body: Mapping[str, Any]) -> int:
    """How many errors there are by HubSpot's own count, which may be more than it lists."""
    count = body.get("numErrors")
    return count if isinstance(count, int) else int(bool(count))


def _nameless(errors: Sequence[RowError], names: Sequence[frozenset[str]]) -> list[RowError]:
    known: set[str] = set().union(*names)
    return [error for error in errors if not error.names & known]


def _one_of(errors: Sequence[RowError]) -> RowError | None:
    """What is certain of a row that one of these errors refused."""
    if len(errors) < 2:
        return next(iter(errors), None)
    codes = {error.code for error in errors}
    return RowError(
        names=frozenset(),
        code=codes.pop() if len(codes) == 1 else _REFUSED,
        message=" / ".join(dict.fromkeys(error.message for error in errors[:_TOLD])),
        taken=any(error.taken for error in errors),
    )


def _row_error(error: Mapping[str, Any]) -> RowError:
    problem = problem_in(dict(error))
    details = error.get("errors")
    told = [error, *(details if isinstance(details, list) else [])]
    contexts = [one["context"] for one in told if isinstance(one, Mapping) and one.get("context")]
    rows, links = _named(contexts, _RECORD_KEYS), _named(contexts, _LINK_KEYS)
    return RowError(
        names=rows | links,
        code=_telling(problem) or _REFUSED,
        message=problem.words or _NO_REASON,
        taken=problem.taken,
        pairs=bool(links),
    )


def _telling(problem: Problem) -> str:
    """The most special code that we can say something about, else the category."""
    special = sorted(code for code in problem.codes - {problem.code} if hint(code))
    return special[0] if special else problem.code


def _named(contexts: Sequence[Any], keys: Sequence[str]) -> frozenset[str]:
    found: set[str] = set()
    for context in contexts:
        for key in keys:
            value = context.get(key) if isinstance(context, Mapping) else None
            found.update(str(one) for one in (value if isinstance(value, list) else [value]) if one)
    return frozenset(found)
