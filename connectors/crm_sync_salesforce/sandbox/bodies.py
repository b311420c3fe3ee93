"""Request bodies read with care, and the answer of a row."""

from __future__ import annotations

from typing import Any

from crm_sync.sandbox.http import Request
from crm_sync_salesforce.sandbox.problems import ApiProblem, RowProblem, malformed


def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises `ApiProblem` JSON_PARSER_ERROR."""
    try:
        value = request.json()
    except ValueError as problem:
        raise malformed(f"The body is not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise malformed("The body is not a JSON object")
    return value


def name_list(value: Any, name: str) -> list[str]:
    """A JSON list of strings, or a comma-separated text. Raises `ApiProblem`."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    raise ApiProblem(400, "MISSING_ARGUMENT", f"{name} has to be given")


def succeeded(record_id: str, *, created: bool | None = None) -> dict[str, object]:
    """The result of a row that was written; `created` is told by upserts only."""
    result: dict[str, object] = {"id": record_id, "success": True, "errors": []}
    if created is not None:
        result["created"] = created
    return result


def failed(problem: RowProblem, record_id: str | None = None) -> dict[str, object]:
    """The result of a row that was refused."""
    result: dict[str, object] = {"success": False, "errors": [problem.as_row_error()]}
    return {"id": record_id, **result} if record_id else result
