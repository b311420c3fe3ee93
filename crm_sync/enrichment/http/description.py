"""What a description of an API may say; see the reference for every key, and the shipped examples.

The file holds no secret and no code: where the API is, what is sent about a contact, where in the
answer the person stands, what a status means, which limits are kept, and, exactly as in a vendor
mapping, how a person is read (`profile:`, `employments:`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from crm_sync.enrichment.config import Address
from crm_sync.enrichment.mapping import ReadingRules, VendorMapping
from crm_sync.yamlfile import YamlFile

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
HeaderValue = Annotated[str, Field(pattern=r"^[\x20-\x7e]{0,500}$")]
KeyText = Annotated[str, Field(min_length=1, max_length=200)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Status = Annotated[int, Field(ge=300, le=599)]
Scalar = str | int | float | bool | None

OWN_HEADERS = frozenset(
    {"accept", "accept-encoding", "authorization", "connection", "content-length", "content-type"}
    | {"cookie", "expect", "host", "proxy-authorization", "te", "trailer", "transfer-encoding"}
    | {"upgrade", "user-agent"}
)
"""Headers that the description cannot set: they are ours, or carry what is secret."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeaderKey(_Section):
    """The key stands in a header of the vendor's own, after `prefix`."""

    kind: Literal["header"]
    name: HeaderName
    prefix: HeaderValue = ""


class BearerKey(_Section):
    """`Authorization: Bearer …`."""

    kind: Literal["bearer"]


class BasicKey(_Section):
    """`Authorization: Basic …` of `user` and `key` of the configuration."""

    kind: Literal["basic"]


class QueryKey(_Section):
    """The key stands in the address, which servers log: only where the vendor has nothing else."""

    kind: Literal["query"]
    name: Annotated[str, Field(min_length=1, max_length=100)]


class NoKey(_Section):
    """No key at all: an API inside of one's own network."""

    kind: Literal["none"]


Auth = Annotated[HeaderKey | BearerKey | BasicKey | QueryKey | NoKey, Field(discriminator="kind")]


class RequestShape(_Section):
    """One call: `path`, `query` and `body` with fields of the question in braces.

    `needs` lists what has to be known of a contact to ask about it: one of the lists in full.
    With `batch`, `each` is what is said of one contact, and `{each}` in `body` their list.
    """

    method: Literal["GET", "POST"] = "GET"
    path: Annotated[str, Field(pattern=r"^/[^?#\s]*$", max_length=500)]
    query: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    body: dict[str, Any] | list[Any] | None = None
    each: dict[str, Any] | str | None = None
    batch: Annotated[int, Field(ge=1, le=1000)] = 1
    needs: Annotated[tuple[tuple[str, ...], ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _fits(self) -> RequestShape:
        if self.batch > 1 and self.each is None:
            raise ValueError("a `batch` needs `each:`, what is said about one contact")
        if self.each is not None and self.method == "GET":
            raise ValueError("`each` stands in a body, so `method` has to be POST")
        if self.body is not None and self.method == "GET":
            raise ValueError("a `body` is sent with `method: POST`")
        return self


class Pages(_Section):
    """How an answer that comes in pages goes on; `at_most` bounds it.

    `next_url`: the address at `next` (on the same host); `cursor`: the value at `next`, sent as
    `parameter`; `page`: the next number; `offset`: `size` further.
    """

    kind: Literal["next_url", "cursor", "page", "offset"]
    next: KeyText | None = None
    parameter: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    in_body: bool = False
    first: Annotated[int, Field(ge=0, le=1)] = 1
    size: Annotated[int, Field(ge=1, le=10_000)] | None = None
    at_most: Annotated[int, Field(ge=1, le=50)] = 5

    @model_validator(mode="after")
    def _fits(self) -> Pages:
        needed = {
            "next_url": ("next",),
            "cursor": ("next", "parameter"),
            "page": ("parameter",),
            "offset": ("parameter", "size"),
        }[self.kind]
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"`kind: {self.kind}` needs `{missing[0]}:`")
        return self


class AnswerShape(_Section):
    """Where in the answer's JSON the persons stand.

    Without `people`, the whole is about one person. With it, there is a list: in a call about
    several contacts one entry for each, in their order or with the number that was sent at `echo`;
    in a call about one, everybody who may be meant. `person` is where in an entry the person
    stands. `absent_when` names values of a person that say: not known, or not any more.
    """

    people: KeyText | None = None
    matched_by: Literal["position", "echo"] = "position"
    echo: KeyText | None = None
    person: KeyText | None = None
    absent_when: dict[str, list[Scalar]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> AnswerShape:
        if (self.matched_by == "echo") != (self.echo is not None):
            raise ValueError("`matched_by: echo` and `echo:` belong together")
        if self.echo is not None and self.people is None:
            raise ValueError("`echo` is looked for in the entries of `people`")
        return self


class Statuses(_Section):
    """What the vendor's statuses mean. A redirect is never followed; 5xx is tried again."""

    absent: tuple[Status, ...] = (404,)
    refused: tuple[Status, ...] = (400, 422)
    denied: tuple[Status, ...] = (401, 403)
    out_of_credit: tuple[Status, ...] = (402,)
    limited: tuple[Status, ...] = (429,)

    @model_validator(mode="after")
    def _each_once(self) -> Statuses:
        told = [status for name in type(self).model_fields for status in getattr(self, name)]
        twice = next((status for status in told if told.count(status) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice} has two meanings here; the defaults count too")
        return self


class Limit(_Section):
    """At most `calls` calls in `seconds` seconds, or as many as headers of the answers tell."""

    seconds: Seconds
    calls: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    size_header: HeaderName | None = None
    left_header: HeaderName | None = None

    @model_validator(mode="after")
    def _says_how_many(self) -> Limit:
        if self.calls is None and self.size_header is None:
            raise ValueError("say how many `calls`, or which `size_header` tells it")
        return self


class Charge(_Section):
    """What an answer costs: `each` credits at most, per contact `found`, or per contact `asked`.

    `told_header` or `told_at` (a path in the answer) say what the call did cost; `left_header` how
    many credits are left.
    """

    each: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)] = 1.0
    charged: Literal["found", "asked"] = "found"
    told_header: HeaderName | None = None
    told_at: KeyText | None = None
    left_header: HeaderName | None = None


class Timeouts(_Section):
    """Seconds: to connect, of silence while the answer is awaited, and for all of the answer."""

    connect: Annotated[float, Field(gt=0, le=120)] = 10.0
    read: Annotated[float, Field(gt=0, le=600)] = 60.0
    whole: Annotated[float, Field(gt=0, le=1800)] = 180.0


class Check(_Section):
    """A call that costs nothing, for `crm-sync check`; `credits_left` is where it tells them."""

    path: Annotated[str, Field(pattern=r"^/[^?#{}\s]*$", max_length=500)]
    credits_left: KeyText | None = None


class Description(ReadingRules):
    """One vendor's API."""

    base_url: Address
    auth: Auth
    request: RequestShape
    pages: Pages | None = None
    answer: AnswerShape = AnswerShape()
    statuses: Statuses = Statuses()
    limits: Annotated[tuple[Limit, ...], Field(max_length=5)] = ()
    retry_after: Annotated[
        tuple[HeaderName, ...],
        BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    ] = ("Retry-After",)
    credits: Charge = Charge()
    timeouts: Timeouts = Timeouts()
    max_answer_mb: Annotated[int, Field(ge=1, le=64)] = 8
    check: Check | None = None

    @model_validator(mode="after")
    def _limits_differ(self) -> Description:
        lengths = [limit.seconds for limit in self.limits]
        if len(set(lengths)) < len(lengths):
            raise ValueError("`limits` has two entries for the same number of seconds")
        return self

    def mapping(self) -> VendorMapping:
        """How its documents are read."""
        return VendorMapping(
            letter_case=self.letter_case,
            dates=self.dates,
            profile=self.profile,
            employments=self.employments,
        )


def load_description(path: Path) -> tuple[Description, YamlFile]:
    """Read a description; raises `ConfigError` with file, line and column of every mistake."""
    from crm_sync.enrichment.http.checking import check_description
    from crm_sync.yamlfile import load_yaml, validate

    file = load_yaml(path)
    description = validate(Description, file)
    check_description(description, file)
    return description, file
