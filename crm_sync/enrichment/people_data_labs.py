"""The source that asks People Data Labs about contacts: bulk person enrichment, 100 in a call.

A credit is spent for each person found; those whom the vendor does not know cost nothing. Only the
fields that the mapping reads are asked for. Where a test account is enough, `base_url` is
`https://sandbox.api.peopledatalabs.com/v5`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, NoReturn

from pydantic import Field, SecretStr, field_validator

from crm_sync.enrichment import people_data_labs_wire as wire
from crm_sync.enrichment.asking import Answer, Question
from crm_sync.enrichment.config import Address, AskingConfig, SourceConfig, SourcePlace
from crm_sync.enrichment.mapping import VendorMapping, load_mapping
from crm_sync.errors import (
    AccessDenied,
    BatchRejected,
    ConfigError,
    QuotaReached,
    RateLimited,
    ServerFault,
)

if TYPE_CHECKING:
    from crm_sync.enrichment.http.transport import Reply, Transport

MAX_ANSWER_BYTES = 64 << 20
"""A hundred people, with every job that they had, are a few megabytes."""

_WHOLE_SECONDS = 300.0
_WINDOW_SECONDS = 60.0
_SHIPPED = "mappings/people_data_labs.yaml"


class PeopleDataLabsConfig(AskingConfig):
    """Whom to trust with the key, and how sure the vendor has to be.

    `min_likelihood` (1 to 10) is the vendor's own measure of whether it means the same person.
    `required` are fields without which a record is not paid for. `mapping` is the shipped one
    unless named. Times are in seconds.
    """

    api_key: SecretStr = Field(min_length=1)
    base_url: Address = "https://api.peopledatalabs.com/v5"
    mapping: Path | None = None
    min_likelihood: Annotated[int, Field(ge=1, le=10)] = 6
    required: Annotated[str, Field(max_length=500)] = "experience"
    batch_size: Annotated[int, Field(ge=1, le=100)] = 100
    connect_timeout: Annotated[float, Field(gt=0, le=120)] = 10.0
    read_timeout: Annotated[float, Field(gt=0, le=600)] = 60.0

    @field_validator("api_key")
    @classmethod
    def _fit_for_a_header(cls, value: SecretStr) -> SecretStr:
        if not all("!" <= char <= "~" for char in value.get_secret_value()):
            raise ValueError("should be an API key: one word of plain characters")
        return value


class PeopleDataLabs:
    """An asked source (see `crm_sync.enrichment.asking`); one credit for each person found."""

    Config: ClassVar[type[SourceConfig]] = PeopleDataLabsConfig
    max_cost = 1.0

    def __init__(
        self,
        name: str,
        config: PeopleDataLabsConfig,
        mapping: VendorMapping,
        transport: Transport,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.mapping = mapping
        self.trust = config.trust
        self.batch_size = config.batch_size
        self.budget = float(config.budget)
        self.max_age_days = config.max_age_days
        self._terms = wire.Terms(config.min_likelihood, config.required, wire.fields_of(mapping))
        self._transport = transport
        self._clock = clock
        self._not_before = clock()

    @classmethod
    def open(cls, name: str, config: PeopleDataLabsConfig, place: SourcePlace) -> PeopleDataLabs:
        """See `SourcePlugIn.open`."""
        from crm_sync.enrichment.http.description import HeaderKey, Timeouts
        from crm_sync.enrichment.http.transport import Credentials, Transport
        from crm_sync.shipped import shipped

        path = place.folder / config.mapping if config.mapping else shipped(_SHIPPED)
        key = HeaderKey(kind="header", name="X-Api-Key")
        transport = Transport(
            config.base_url,
            Credentials(key, config.api_key.get_secret_value()),
            Timeouts(
                connect=config.connect_timeout, read=config.read_timeout, whole=_WHOLE_SECONDS
            ),
            MAX_ANSWER_BYTES,
        )
        return cls(name, config, load_mapping(path), transport)

    def inspect(self) -> str:
        """See `AskingSource.inspect`: a look at the headers alone, which costs nothing."""
        from crm_sync.enrichment.http.building import Call

        reply = self._transport.send(Call("HEAD", "/person/enrich"))
        # Asked about nobody, it finds nobody, or calls the question incomplete.
        if reply.status not in {200, 400, 404}:
            self._refuse(reply)
        left = wire.credits_left(reply.headers)
        return "answers" if left is None else f"answers; {left:,} credits are left"

    def answerable(self, question: Question) -> bool:
        """See `AskingSource.answerable`."""
        return wire.is_enough(wire.params_of(question))

    def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """See `AskingSource.ask`. Raises `BatchRejected` when one of them is malformed."""
        from crm_sync.enrichment.http.building import Call

        pause = self._not_before - self._clock()
        if pause > 0:
            raise self._limited(pause)
        body = self._terms.body([wire.params_of(one) for one in questions])
        reply = self._transport.send(Call("POST", "/person/bulk", body=body))
        if wire.windows(reply.headers.get(wire.REMAINING, "")).get("minute") == 0:
            self._not_before = self._clock() + wire.pause_until_reset(
                reply.headers, at_most=_WINDOW_SECONDS
            )
        if reply.status != 200:
            self._refuse(reply)
        answers = wire.answers_in(reply.body, reply.headers, questions)
        if answers is None:
            raise ServerFault("sent an answer that is not one", place=self._transport.place)
        return answers

    def close(self) -> None:
        """See `AskingSource.close`."""
        self._transport.close()

    def _refuse(self, reply: Reply) -> NoReturn:
        """What a refusal of the whole call means."""
        place, status = self._transport.place, reply.status
        if status == 401:
            raise AccessDenied(
                "the API key is refused", place=place, fix="Check `api_key` of this source."
            )
        if status == 403:
            raise AccessDenied(
                "the API key may not enrich people", place=place, fix="Ask for it at the vendor."
            )
        if status == 402:
            raise self._out("it is out of credits", "Buy more, or wait for the next month.")
        if status == 429:
            raise self._slow_down(reply)
        if status == 400:
            raise BatchRejected(wire.error_code(reply.body), "the question is malformed")
        if status >= 500:
            raise ServerFault(f"answered with status {status}", place=place, sent=True)
        raise ConfigError(
            f"answered with status {status}", place=place, fix="Check `base_url` of this source."
        )

    def _slow_down(self, reply: Reply) -> RateLimited | QuotaReached:
        left = wire.windows(reply.headers.get(wire.REMAINING, ""))
        for window in ("day", "month"):
            if left.get(window) == 0:
                return self._out(f"its limit for this {window} is reached", "Run again later.")
        return self._limited(wire.pause_until_reset(reply.headers, at_most=_WINDOW_SECONDS))

    def _out(self, message: str, fix: str) -> QuotaReached:
        return QuotaReached(message, place=self._transport.place, fix=fix)

    def _limited(self, pause: float) -> RateLimited:
        return RateLimited(
            "asks to slow down", place=self._transport.place, retry_after=max(0.0, pause)
        )
