"""Whether what a contact's changes were made from is what it was at the last plan.

A fingerprint covers all that goes into the changes of one contact, the code included, except the
day: only the due dates of tasks follow that one. Limits of guards go into no change.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from crm_sync.canonical import canonical_json
from crm_sync.model import DUE, Entity, JobChange, JobChangeKind, Scalar
from crm_sync.planning.inputs import ContactState, PlanInputs
from crm_sync.planning.playbooks import Playbooks
from crm_sync.planning.tasks import AccountNames, company_of, working_day

_WITHOUT_REFERENCES = 2
"""The version of marshal that gives equal values equal bytes."""


class LookedUp(NamedTuple):
    """By what a contact's plan looks up accounts and colleagues; empty for nothing."""

    account_id: str
    owner_id: str
    company: str

    @classmethod
    def by(cls, job_change: JobChange, state: ContactState) -> LookedUp:
        """What is looked up for this contact."""
        moved = job_change.kind is JobChangeKind.MOVED
        return cls(
            _text(state.canonical, "account_id"),
            _text(state.canonical, "owner_id"),
            company_of(job_change.after.organisation) if moved else "",
        )


LINKED_TO = (Entity.CONTACT, Entity.ACCOUNT)
"""The records whose addresses tasks name; a connector may know no addresses of others."""


class Fingerprints:
    """Fingerprints under the settings of `inputs`; `held` is why all has to wait, if it has to."""

    def __init__(self, inputs: PlanInputs, names: AccountNames, held: str) -> None:
        self._inputs = inputs
        self._names = names
        self._settings = hashlib.sha256(settings_text(inputs, held).encode()).digest()

    def of(self, raw: Sequence[Any], looked_up: LookedUp, keys: Sequence[str]) -> bytes:
        """That of a contact: `raw` is what is stored of it, `keys` those of its changes."""
        inputs = self._inputs
        account = inputs.accounts.get(looked_up.account_id, {})
        new_id = self._names.get(looked_up.company) if looked_up.company else None
        new = inputs.accounts[new_id] if new_id else {}
        values = (
            *raw,
            *looked_up,
            account.get("owner_id"),
            self._colleague(looked_up.owner_id),
            self._colleague(_text(account, "owner_id")),
            new_id,
            new.get("name"),
            new.get("owner_id"),
            self._colleague(_text(new, "owner_id")),
            *[
                key in where
                for where in (inputs.settled, inputs.rejected, inputs.unsettled)
                for key in keys
            ],
        )
        body = self._settings + marshal.dumps(values, _WITHOUT_REFERENCES)
        return hashlib.blake2b(body, digest_size=16).digest()

    def _colleague(self, id: str) -> tuple[Scalar, ...] | None:
        held = self._inputs.colleagues.get(id)
        if held is None:
            return None
        return held.get("name"), held.get("active"), held.get("language")


def settings_text(inputs: PlanInputs, held: str) -> str:
    """All that every change of a plan depends on alike, save the day."""
    url = inputs.record_url
    return canonical_json(
        {
            "code": _code(),
            "connection": inputs.connection,
            "mapping": inputs.mapping.model.model_dump(mode="json"),
            "playbooks": _rules(inputs.playbooks),
            "mode": inputs.mode.value,
            "language": inputs.language,
            "urls": [url(entity, "{id}") if url else "" for entity in LINKED_TO],
            "held": held,
        }
    )


def due_dates(inputs: PlanInputs) -> dict[str, str]:
    """When a task that is planned now falls due, by the name of its rule, as it is written."""
    write = inputs.task_writes.get(DUE)
    found: dict[str, str] = {}
    for rule in inputs.playbooks.rules:
        day = working_day(inputs.now, inputs.timezone, rule.due_in_working_days).isoformat()
        found[rule.name] = str(write.spell(day)) if write is not None else ""
    return found


def dates_move(inputs: PlanInputs) -> bool:
    """Whether a due date is a date: a mapping may spell some days in words, or none at all."""
    write = inputs.task_writes.get(DUE)
    return write is None or (write.constant is None and write.values is None)


def _rules(playbooks: Playbooks) -> list[Any]:
    return [
        [
            rule.name,
            rule.when.model_dump(mode="json"),
            rule.due_in_working_days,
            rule.owner,
            {language: template.source for language, template in rule.subject.items()},
            {language: template.source for language, template in rule.body.items()},
        ]
        for rule in playbooks.rules
    ]


@cache
def _code() -> str:
    whole = hashlib.sha256()
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def _text(values: Mapping[str, Scalar], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
