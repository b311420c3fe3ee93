"""Scripted refusals of single rows: a locked row, a validation rule, a duplicate rule.

```
POST /sandbox/row-faults [{"object": "Contact", "operation": "update", "id": "003…",
                           "field": "Title", "contains": "poison", "times": 1,
                           "statusCode": "UNABLE_TO_LOCK_ROW", "message": "…"}]
```
Every key but `statusCode` may be left out; `times` 0 (the default) is for ever. With
`"whole_request": true` the whole request is refused with a 400 instead, as by a poison row.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm_sync_salesforce.sandbox.ids import full_id
from crm_sync_salesforce.sandbox.problems import ApiProblem, RowProblem

_KEYS = {
    "object",
    "operation",
    "id",
    "field",
    "contains",
    "times",
    "statusCode",
    "message",
    "whole_request",
}


@dataclass(slots=True)
class RowFault:
    """One scripted refusal; empty criteria fit every row."""

    code: str
    message: str
    object_name: str = ""
    operation: str = ""
    record_id: str = ""
    field: str = ""
    contains: str = ""
    times: int = 0
    whole_request: bool = False
    fired: int = 0

    def fits(
        self, object_name: str, operation: str, record_id: str, values: Mapping[str, object]
    ) -> bool:
        """Whether this row is meant, and the refusal is not used up."""
        if self.times and self.fired >= self.times:
            return False
        pairs = (
            (self.object_name.lower(), object_name.lower()),
            (self.operation, operation),
            (self.record_id, record_id),
        )
        if any(wanted and wanted != found for wanted, found in pairs):
            return False
        return not self.field or self.contains in str(values.get(self.field) or "")


def parse_row_fault(value: Any) -> RowFault:
    """A `RowFault` from JSON. Raises `ValueError` that says what is wrong."""
    if not isinstance(value, dict) or set(value) - _KEYS or not value.get("statusCode"):
        raise ValueError(f"a row fault has `statusCode` and some of: {', '.join(sorted(_KEYS))}")
    record_id = str(value.get("id", ""))
    return RowFault(
        code=str(value["statusCode"]),
        message=str(value.get("message", "scripted refusal")),
        object_name=str(value.get("object", "")),
        operation=str(value.get("operation", "")),
        record_id=full_id(record_id) or record_id,
        field=str(value.get("field", "")),
        contains=str(value.get("contains", "")),
        times=int(value.get("times", 0)),
        whole_request=bool(value.get("whole_request", False)),
    )


class RowFaults:
    """The refusals that are being played; safe to use from many threads."""

    def __init__(self) -> None:
        self._faults: list[RowFault] = []
        self._guard = threading.Lock()

    def add(self, faults: list[RowFault]) -> None:
        """Play these as well."""
        with self._guard:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Refuse nothing any more but what breaks the rules."""
        with self._guard:
            self._faults.clear()

    def meet(
        self, object_name: str, operation: str, record_id: str, values: Mapping[str, object]
    ) -> None:
        """Raise the first refusal that fits this row."""
        with self._guard:
            for fault in self._faults:
                if fault.fits(object_name, operation, record_id, values):
                    fault.fired += 1
                    if fault.whole_request:
                        raise ApiProblem(400, fault.code, fault.message)
                    raise RowProblem(fault.code, fault.message)
