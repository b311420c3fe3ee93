"""Small helpers of the laws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from crm_sync.connector import Connector, Operation, Scalar, Write
from crm_sync.testing.harness import Harness


def update(harness: Harness, id: str, text: Scalar) -> Write:
    """A write of one record's text field."""
    return Write(
        Operation.UPDATE, harness.entity, f"key-{id}", id, fields={harness.text_field: text}
    )


def texts(harness: Harness, connector: Connector, ids: Sequence[str]) -> dict[str, Scalar]:
    """What the text fields of these records hold now, by id."""
    records = connector.read(harness.entity, ids, [harness.text_field])
    return {record.id: record.fields[harness.text_field] for record in records}


@contextmanager
def needs_harness() -> Iterator[None]:
    """Skip the law when the harness cannot do what happens inside."""
    try:
        yield
    except NotImplementedError as reason:
        pytest.skip(f"the harness {reason}")
