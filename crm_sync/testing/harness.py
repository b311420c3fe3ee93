"""What the contract suite has to know of a CRM, and be able to do to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import ClassVar

from crm_sync.connector import Connector, Entity, Operation, Outcome, Ref, Scalar, Write


class Harness(ABC):
    """A CRM account to try a connector on: a test account or a sandbox that nobody else uses.

    Four members must be given; the others have defaults, or raise `NotImplementedError`, which
    skips the laws that need them with that reason.
    """

    entity: ClassVar[Entity] = Entity.CONTACT
    """The entity on which the laws are tried."""

    text_field: str
    """A text field of it, writable, 80 characters at least, by which records can be found."""

    link_entity: Entity = Entity.CONTACT
    """What `new_link` has a task linked to."""

    link_field: str = ""
    """The relation of a task that leads there, as a mapping names it."""

    @abstractmethod
    def connect(self) -> Connector:
        """A new connector on the account, with the smallest pages that it can do."""

    @abstractmethod
    def new_record(self, text: Scalar) -> Mapping[str, Scalar]:
        """Fields with which the CRM creates a record whose `text_field` holds `text`."""

    @abstractmethod
    def refused_fields(self) -> Mapping[str, Scalar]:
        """Fields that the CRM refuses in an update, for that row alone (a text too long …)."""

    def normalise(self, value: Scalar) -> Scalar:
        """What the CRM keeps of a text: the same, unless it trims or empties it."""
        return value

    def settle(self) -> None:  # noqa: B027 - most CRMs need no waiting
        """Wait until what was just written can be pulled and found."""

    def new_task(self, key: str) -> Mapping[str, Scalar]:
        """Fields of a task that carries `key` in the CRM's unique field."""
        raise NotImplementedError("creates no tasks with a unique key")

    def where(self, text: str) -> str:
        """A filter for `pull` that is satisfied by records whose `text_field` holds `text`.

        `text` is made of letters, digits and blanks.
        """
        raise NotImplementedError("has no filters")

    def merge(self, survivor: str, victim: str) -> str | None:
        """Merge two records in the CRM, as a person would.

        Returns the id of what is left, where that need not be `survivor`: some CRMs give a merged
        record an id of its own, and both old ones are gone.
        """
        raise NotImplementedError("cannot merge records")

    def new_link(self) -> tuple[Mapping[str, Scalar], str]:
        """Fields of a task, and the id of a record of its own to link it to."""
        raise NotImplementedError("links nothing")

    def remove(self, record: Ref) -> None:
        """Delete a record of any entity, as a person would."""
        self._carried_out([Write(Operation.DELETE, record.entity, "remove", record.id)])

    def lose_next_request(self) -> None:
        """Cut the connection of the next write before the CRM carries it out."""
        raise NotImplementedError("cannot cut connections")

    def lose_next_answer(self) -> None:
        """Cut the connection of the next write after the CRM has carried it out."""
        raise NotImplementedError("cannot cut connections")

    def answer_next(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        """Answer the next call with an error of this status, carrying nothing out."""
        raise NotImplementedError("cannot answer in the CRM's place")

    def expire_sessions(self) -> None:
        """End every session; new ones can be opened."""
        raise NotImplementedError("cannot end sessions")

    def call_count(self) -> int:
        """How many requests the CRM has received so far."""
        raise NotImplementedError("cannot count requests")

    def seed(self, texts: Sequence[Scalar]) -> list[str]:
        """The ids of new records whose text field holds these, in order."""
        writes = [
            Write(Operation.CREATE, self.entity, f"seed-{n}", fields=self.new_record(text))
            for n, text in enumerate(texts)
        ]
        return self._carried_out(writes)

    def edit(self, id: str, text: Scalar) -> None:
        """Change one record's text field, as a person would."""
        fields = {self.text_field: text}
        self._carried_out([Write(Operation.UPDATE, self.entity, "edit", id, fields)])

    def delete(self, id: str) -> None:
        """Delete one record, as a person would."""
        self._carried_out([Write(Operation.DELETE, self.entity, "delete", id)])

    def _carried_out(self, writes: Sequence[Write]) -> list[str]:
        with closing(self.connect()) as connector:
            size = connector.capabilities.write_batch
            results = [
                result
                for start in range(0, len(writes), size)
                for result in connector.write(writes[start : start + size])
            ]
        refused = [result for result in results if result.outcome is not Outcome.APPLIED]
        if refused:
            raise RuntimeError(f"the account cannot be prepared: {refused[0].message}")
        return [result.record_id for result in results]
