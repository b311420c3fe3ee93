"""Errors in HubSpot's shape: of a whole request, and of some rows of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from crm_sync.sandbox.http import HttpProblem

VALIDATION = "VALIDATION_ERROR"
NOT_FOUND = "OBJECT_NOT_FOUND"
CONFLICT = "CONFLICT"

Details = Sequence[Mapping[str, Any]]
"""Entries of a body's `errors`: message, code and context of each."""


class ApiProblem(HttpProblem):
    """A refused request; `errors` are its details, `context` holds lists of text by name."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        sub_category: str | None = None,
        errors: Details = (),
        context: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        body: dict[str, Any] = {
            "status": "error",
            "message": message,
            "correlationId": str(uuid4()),
            "category": category,
        }
        if sub_category is not None:
            body["subCategory"] = sub_category
        if errors:
            body["errors"] = [dict(one) for one in errors]
        if context:
            body["context"] = {name: list(values) for name, values in context.items()}
        super().__init__(status, body, headers)
        self.category = category
        self.message = message


def invalid(message: str, *, errors: Details = ()) -> ApiProblem:
    """400: the request makes no sense, or a value cannot be stored."""
    return ApiProblem(400, VALIDATION, message, errors=errors)


def not_found(message: str = "resource not found") -> ApiProblem:
    """404: no such record, property or path."""
    return ApiProblem(404, NOT_FOUND, message)


def conflict(message: str, *, errors: Details = ()) -> ApiProblem:
    """409: a value that may be there once is taken."""
    return ApiProblem(409, CONFLICT, message, errors=errors)


def batch_error(
    category: str,
    message: str,
    context: Mapping[str, Sequence[str]],
    *,
    trace: str | None = None,
    sub_category: str | None = None,
) -> dict[str, Any]:
    """One entry of a batch answer's `errors`; `trace` is the input's objectWriteTraceId."""
    told = {name: list(values) for name, values in context.items()}
    if trace is not None:
        told["objectWriteTraceId"] = [trace]
    entry: dict[str, Any] = {
        "status": "error",
        "category": category,
        "message": message,
        "context": told,
        "errors": [],
        "links": {},
    }
    if sub_category is not None:
        entry["subCategory"] = sub_category
    return entry
