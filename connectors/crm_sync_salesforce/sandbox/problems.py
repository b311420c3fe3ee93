"""Errors in Salesforce's shape: of a whole request, and of one row of a collection."""

from __future__ import annotations

from collections.abc import Sequence

from crm_sync.sandbox.http import HttpProblem


class ApiProblem(HttpProblem):
    """A refused request: a list with one `{errorCode, message}`."""

    def __init__(
        self, status: int, code: str, message: str, fields: Sequence[str] | None = None
    ) -> None:
        entry: dict[str, object] = {"message": message, "errorCode": code}
        if fields is not None:
            entry["fields"] = list(fields)
        super().__init__(status, [entry])
        self.code = code
        self.message = message


class RowProblem(Exception):
    """A refused row: `statusCode`, `message` and the fields that it is about."""

    def __init__(self, code: str, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = tuple(fields)

    def as_row_error(self) -> dict[str, object]:
        """The error as it stands in a row's result."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def as_api_problem(self) -> ApiProblem:
        """The error as it answers a request for this record alone."""
        status = {"ENTITY_IS_DELETED": 404, "NOT_FOUND": 404}.get(self.code, 400)
        return ApiProblem(status, self.code, self.message, self.fields)


def invalid_type(name: str) -> ApiProblem:
    """A query names an object that there is not."""
    return ApiProblem(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")


def not_found(message: str = "The requested resource does not exist") -> ApiProblem:
    """No such path or record."""
    return ApiProblem(404, "NOT_FOUND", message)


def malformed(message: str) -> ApiProblem:
    """The body is not what the call needs."""
    return ApiProblem(400, "JSON_PARSER_ERROR", message)
