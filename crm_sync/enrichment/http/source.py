"""The source `http`: asks one vendor's API about contacts, as its description says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import SecretStr

from crm_sync.enrichment.asking import Answer, Question
from crm_sync.enrichment.config import Address, AskingConfig, SourceConfig, SourcePlace
from crm_sync.enrichment.http.building import Call, as_text, build, is_answerable
from crm_sync.enrichment.http.description import Description, Pages, load_description
from crm_sync.enrichment.http.pacing import Pace
from crm_sync.enrichment.http.reading import Harvest, Reader, at, credits_left
from crm_sync.enrichment.http.transport import Credentials, Reply, Transport
from crm_sync.errors import (
    AccessDenied,
    ConfigError,
    CrmSyncError,
    QuotaReached,
    RateLimited,
    ServerFault,
)
from crm_sync.logs import keep_out

if TYPE_CHECKING:
    from crm_sync.enrichment.mapping import VendorMapping
    from crm_sync.yamlfile import YamlFile


class HttpConfig(AskingConfig):
    """`api` is the description's file; `key` (and `user`, for basic authentication) its secrets.

    `base_url` takes the place of the description's, for another region or a trial.
    """

    api: Path
    key: SecretStr | None = None
    user: SecretStr | None = None
    base_url: Address | None = None


class _Refused(Exception):
    """The vendor does not take this request, and did not carry it out."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class HttpSource:
    """One vendor's API (see `AskingSource`)."""

    Config: ClassVar[type[SourceConfig]] = HttpConfig

    name: str
    trust: float
    budget: float
    max_age_days: int
    description: Description = field(repr=False)
    file: YamlFile = field(repr=False)
    transport: Transport = field(repr=False)
    pace: Pace = field(repr=False)

    def __post_init__(self) -> None:
        self.mapping: VendorMapping = self.description.mapping()
        self.batch_size: int = self.description.request.batch
        self.max_cost: float = self.description.credits.each
        self._left: int | None = None

    @classmethod
    def open(cls, name: str, config: HttpConfig, place: SourcePlace) -> HttpSource:
        """See `SourcePlugIn.open`."""
        described, file = load_description(place.folder / config.api)
        base_url = config.base_url or described.base_url
        transport = Transport(
            base_url,
            _credentials(config, described, place),
            described.timeouts,
            described.max_answer_mb << 20,
        )
        return cls(
            name,
            config.trust,
            config.budget,
            config.max_age_days,
            described,
            file,
            transport,
            Pace(described.limits, transport.place),
        )

    def inspect(self) -> str | None:
        """See `AskingSource.inspect`; needs `check:` in the description."""
        check = self.description.check
        if check is None:
            return None
        try:
            reply = self._reply(Call("GET", check.path))
        except QuotaReached:
            return "no credits left"
        except _Refused as refusal:
            raise self._unfit("check", f"answered {refusal.status}") from None
        left = at(reply.body, check.credits_left) if check.credits_left else None
        return f"{left} credits left" if isinstance(left, int | float) else "the key is accepted"

    def answerable(self, question: Question) -> bool:
        """See `AskingSource.answerable`."""
        return is_answerable(self.description.request, question)

    def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """See `AskingSource.ask`. A call that is refused as a whole is asked again in halves."""
        if self._left is not None and self._left < self.max_cost:
            raise self._out_of_credit()
        try:
            return self._asked(questions)
        except _Refused as refusal:
            if len(questions) == 1:
                message = f"answered {refusal.status}"
                return [Answer(questions[0].contact_id, "refused", message=message)]
        middle = len(questions) // 2
        answers = list(self.ask(questions[:middle]))
        try:
            return [*answers, *self.ask(questions[middle:])]
        except CrmSyncError:
            # What is answered may be paid: it goes first. The rest is asked again, and fails anew.
            return answers

    def close(self) -> None:
        """See `AskingSource.close`."""
        self.transport.close()

    def _asked(self, questions: Sequence[Question]) -> list[Answer]:
        described = self.description
        reader = Reader(
            described.answer,
            described.credits,
            described.request.each is not None,
            self.file,
            self.transport.place,
        )
        harvest = Harvest()
        call: Call | None = build(described.request, questions)
        pages = described.pages
        for number in range(pages.at_most if pages else 1):
            if call is None:
                break
            reply = self._reply(call)
            if reply.status in described.statuses.absent:
                if number == 0:
                    return [Answer(one.contact_id, "absent") for one in questions]
                break
            if not reply.is_json:
                raise ServerFault(
                    "answered with something that is not JSON",
                    place=self.transport.place,
                    sent=True,
                )
            entries = reader.page(reply.body, reply.headers, harvest)
            call = _next_call(pages, call, reply, number, entries) if pages else None
        return reader.answers(questions, harvest)

    def _reply(self, call: Call) -> Reply:
        """The reply to a call that was carried out, or that says `absent`."""
        with self.pace.slot() as slot:
            reply = self.transport.send(call)
            self.pace.learn(reply.headers, slot)
        left = credits_left(self.description.credits, reply.headers)
        self._left = left if left is not None else self._left
        statuses, status = self.description.statuses, reply.status
        if status in statuses.absent or 200 <= status < 300:
            return reply
        if status in statuses.refused:
            raise _Refused(status)
        raise self._failure(reply)

    def _failure(self, reply: Reply) -> CrmSyncError:
        statuses, status, place = self.description.statuses, reply.status, self.transport.place
        if status in statuses.limited:
            pause = self.pace.refused(reply.headers, self.description.retry_after)
            return RateLimited("asks to slow down", place=place, retry_after=pause)
        if status in statuses.out_of_credit:
            return self._out_of_credit()
        if status in statuses.denied:
            return AccessDenied(
                f"refuses the key (status {status})",
                place=place,
                fix=f"Check `key` of the enrichment source `{self.name}`, and what it allows.",
            )
        if status >= 500:
            return ServerFault(f"answered {status}", place=place, sent=True)
        if status < 400:
            what = f"answered {status} and points elsewhere; redirects are not followed"
            return self._unfit("base_url", what)
        return self._unfit("request", f"answered {status}")

    def _out_of_credit(self) -> QuotaReached:
        return QuotaReached(
            f"the credits of the enrichment source `{self.name}` are used up",
            place=self.transport.place,
            fix="What was answered is stored. Buy credits, or wait for the vendor's next month.",
        )

    def _unfit(self, key: str, what: str) -> ConfigError:
        return self.file.error(
            f"{self.transport.place} {what}",
            (key,),
            "Compare the description with the vendor's documentation; the API may have changed.",
        )


def _credentials(config: HttpConfig, described: Description, place: SourcePlace) -> Credentials:
    """The secrets that the description asks for, no more and no less."""
    kind = described.auth.kind
    for name, needed in (("key", kind != "none"), ("user", kind == "basic")):
        given = getattr(config, name) is not None
        if needed and not given:
            raise place.error(f"`{name}` is missing: {config.api} sends it", fix=f"Add `{name}:`.")
        if given and not needed:
            raise place.error(f"`{name}` is not sent anywhere by {config.api}", name)
    key, user = _secret(config.key), _secret(config.user)
    for name, value in (("key", key), ("user", user)):
        if any(not " " <= sign <= "~" for sign in value):
            raise place.error(f"`{name}` holds signs that no request can carry", name)
    credentials = Credentials(described.auth, key, user)
    for text in credentials.shown():
        keep_out(text)
    return credentials


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value is not None else ""


def _next_call(pages: Pages, call: Call, reply: Reply, number: int, entries: int) -> Call | None:
    """The call for the page after page `number` (from 0); None where that was the last."""
    if pages.kind in {"next_url", "cursor"}:
        told = at(reply.body, pages.next or "")
        if told is None or isinstance(told, dict | list | bool) or not str(told).strip():
            return None
        if pages.kind == "next_url":
            return replace(call, next_url=str(told), body=None, method="GET")
        return _with_parameter(pages, call, str(told) if isinstance(told, str) else told)
    if not entries or (pages.size is not None and entries < pages.size):
        return None
    further = pages.first + number + 1 if pages.kind == "page" else (number + 1) * (pages.size or 1)
    return _with_parameter(pages, call, further)


def _with_parameter(pages: Pages, call: Call, value: str | float) -> Call:
    name = pages.parameter or ""
    if pages.in_body and isinstance(call.body, dict):
        return replace(call, body={**call.body, name: value})
    kept = tuple(pair for pair in call.query if pair[0] != name)
    return replace(call, query=(*kept, (name, as_text(value))))
