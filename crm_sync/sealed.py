"""What an approval is given for, as text and digests: what is stored is what is hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from json.encoder import encode_basestring
from typing import Any

from crm_sync.canonical import canonical_json, evidence_text, fields_text, scalar_text
from crm_sync.later import FromText, Later
from crm_sync.model import DUE, EDITION, Change, Entity, FieldChange, Operation, Plan, plain


def hash_of(plan: Plan) -> str:
    """The hash of a plan, as its edition makes it."""
    if plan.edition < EDITION:
        body = [plan.connection, plan.undo_of, [_approved(change) for change in plan.changes]]
        return hashlib.sha256(canonical_json(body).encode()).hexdigest()
    known = plan.changes.digest if isinstance(plan.changes, Later) else ""
    return joined_hash(
        plan.connection, plan.undo_of, known or digest_of_all(map(Sealed.of, plan.changes))
    )


def joined_hash(connection: str, undo_of: int | None, digest: str) -> str:
    """The hash of a plan of this edition, from the digest over its changes."""
    body = canonical_json([connection, undo_of, digest])
    return f"{EDITION}:{hashlib.sha256(body.encode()).hexdigest()}"


class FieldsText(FromText[FieldChange]):
    """Field changes as their text; `due_on` is the due date, which the text leaves out."""

    __slots__ = ("due_on",)

    def __init__(self, text: str, due_on: str, load: Callable[..., Iterable[FieldChange]]) -> None:
        super().__init__(text, load)
        self.due_on = due_on

    def _load_all(self) -> Iterable[FieldChange]:
        return self._load(self.text, self.due_on)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The texts of a change, as they are stored and hashed, and their digest.

    A task's due date moves with the day on which it is planned, and nothing else does: it stands
    apart, and in `fields` is null.
    """

    fields: str
    watched: str
    evidence: str
    due_on: str
    digest: bytes

    @classmethod
    def of(cls, change: Change) -> Sealed:
        """Seal a change. What is said for statistics and not approved is left out of the digest."""
        written, due_on = _fields_apart(change)
        watched, evidence = (
            _text_of(change.watched, fields_text),
            _text_of(change.evidence, evidence_text),
        )
        named = (
            change.key, change.operation, change.entity, change.record_id, change.contact_id,
            change.kind, change.disposition, change.reason,
        )  # fmt: skip
        more = (change.requires, change.held_by, change.owner_id, change.rule)
        head = [
            *map(encode_basestring, named),
            scalar_text(change.confidence),
            *map(encode_basestring, more),
            f"{len(written)},{len(watched)}",
        ]
        body = f"[{','.join(head)}]{written}{watched}{evidence}"
        digest = hashlib.sha256(body.encode()).digest()
        return cls(written, watched, evidence, due_on, digest)


def digest_of_all(sealed: Iterable[Sealed]) -> str:
    """One digest over changes in their order."""
    return joined_digest((one.digest, one.due_on) for one in sealed)


def joined_digest(parts: Iterable[tuple[bytes, str]]) -> str:
    """The same from the digest and due date of each."""
    whole = hashlib.sha256()
    for digest, due_on in parts:
        whole.update(digest + due_on.encode() + b"\n")
    return whole.hexdigest()


def _fields_apart(change: Change) -> tuple[str, str]:
    """The text of the fields without the due date, and that date."""
    fields = change.fields
    if isinstance(fields, FieldsText):
        return fields.text, fields.due_on
    if change.entity is Entity.TASK and change.operation is Operation.CREATE:
        for place, one in enumerate(fields):
            if one.name == DUE and isinstance(one.after, str):
                rest = [*fields[:place], replace(one, after=None), *fields[place + 1 :]]
                return fields_text(rest), one.after
    return fields_text(fields), ""


def _text_of(values: Sequence[Any], write: Callable[[Iterable[Any]], str]) -> str:
    return values.text if isinstance(values, FromText) else write(values)


def _approved(change: Change) -> dict[str, Any]:
    """A change as plans of the first edition were hashed."""
    body: dict[str, Any] = plain(change)
    for name in ("source", "identified_by", "band"):
        del body[name]
    for one in body["evidence"]:
        del one["weight"]
    return body
