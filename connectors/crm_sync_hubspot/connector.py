"""The HubSpot connector: crm-sync's protocol in terms of objects, batches and associations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Self

from crm_sync.connector import (
    Capabilities,
    ConfigError,
    ConnectorConfig,
    Entity,
    FieldSpec,
    Finding,
    Operation,
    Page,
    Record,
    SchemaChange,
    Usage,
    Write,
    WriteResult,
)
from crm_sync_hubspot.config import HubSpotConfig
from crm_sync_hubspot.objects import OBJECTS, object_of
from crm_sync_hubspot.schema import SCHEMA

if TYPE_CHECKING:
    from crm_sync_hubspot.client import HubSpotClient
    from crm_sync_hubspot.looking import Reader


class HubSpotConnector:
    """One HubSpot portal. See `crm_sync.connector` for what each method promises.

    A first pull lists everything; a later one searches for what changed since, by HubSpot's
    clock, and lists what was archived. Nothing that was changed less than the index delay ago is
    promised: the next pull brings it. Colleagues are always read as a whole.

    What neither a search nor a list tells: a new association alone (it changes no record), a
    record that was erased for good (GDPR), and a deletion that HubSpot has forgotten (after 90
    days). A whole pull sees all three, and so does `read`, which is what is written upon.

    Names with a dot are relations, such as `associations.companies`: see `relations`.
    """

    Config: ClassVar[type[ConnectorConfig]] = HubSpotConfig
    capabilities: ClassVar[Capabilities] = Capabilities(
        page_size=100,
        read_batch=100,
        write_batch=100,
        operations=frozenset(
            {Operation.CREATE, Operation.UPDATE, Operation.LINK, Operation.DELETE}
        ),
        unique_task_key=True,
        settle_seconds=5.0,
        late_seconds=120.0,
    )
    schema: ClassVar[Sequence[FieldSpec]] = SCHEMA
    objects: ClassVar[Mapping[Entity, str]] = OBJECTS

    def __init__(self, config: HubSpotConfig, client: HubSpotClient) -> None:
        from crm_sync_hubspot.describing import Metadata

        self._config = config
        self._client = client
        self._metadata = Metadata(client)
        # The class declares what HubSpot does; a connection may page and settle otherwise.
        vars(self)["capabilities"] = replace(
            type(self).capabilities,
            page_size=config.page_size,
            settle_seconds=config.settle_seconds,
            late_seconds=config.patience,
        )

    @classmethod
    def connect(cls, config: ConnectorConfig) -> Self:
        """Build the client; nothing is sent until the first call."""
        from crm_sync_hubspot.client import HubSpotClient

        if not isinstance(config, HubSpotConfig):
            raise ConfigError("these are not the settings of a HubSpot connection")
        return cls(config, HubSpotClient(config))

    def check(self) -> Sequence[Finding]:
        """Sign-in, allowance and access to objects; `missing_schema` and `describe` tell of fields.

        Raises `AccessDenied` or `TryLater` when the portal cannot even be asked.
        """
        from crm_sync_hubspot.checking import check

        return check(self._client)

    def describe(self, entity: Entity) -> Sequence[FieldSpec]:
        """Every property of the entity's object that this app can see, and its relations."""
        return self._metadata.field_specs(entity, object_of(entity))

    def pull(
        self,
        entity: Entity,
        fields: Sequence[str],
        *,
        cursor: str | None,
        where: str = "",
        object_name: str = "",
    ) -> Iterator[Page]:
        """Pages of everything (no cursor) or of what changed, each with the cursor after it.

        Interactions need an `object_name`: emails, calls, meetings, notes or tasks. `where` is a
        condition in HubSpot's filter operators: see `conditions`.
        """
        from crm_sync_hubspot.conditions import parse

        object_ = object_of(entity, object_name)
        condition = parse(where) if where.strip() else None
        if entity is Entity.COLLEAGUE:
            from crm_sync_hubspot.colleagues import Owners

            return Owners(self._client, fields).pages(cursor, condition)
        from crm_sync_hubspot.pulling import Pace, Pull

        pace = Pace(
            self._config.page_size,
            index_delay=timedelta(seconds=self._config.index_delay),
            lookback=timedelta(seconds=self._config.lookback_seconds),
        )
        return Pull(self._reader(entity, object_, fields), pace, condition).pages(cursor)

    def read(self, entity: Entity, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record]:
        """The live records of these ids; the id of one that was merged away finds nothing."""
        from crm_sync_hubspot.looking import read

        object_ = object_of(entity)
        if entity is Entity.COLLEAGUE:
            from crm_sync_hubspot.colleagues import Owners

            return Owners(self._client, fields).read(ids)
        return read(self._reader(entity, object_, fields), ids)

    def find(self, entity: Entity, field: str, values: Sequence[str]) -> Sequence[Record]:
        """Live records whose field is one of the values, letter case aside.

        By a unique property that is exact and immediate; by any other it goes through HubSpot's
        search, which shows a new value only after the index delay. Blank values find nothing.
        """
        from crm_sync_hubspot.looking import find

        object_ = object_of(entity)
        if entity is Entity.COLLEAGUE:
            from crm_sync_hubspot.colleagues import Owners

            return Owners(self._client, [field]).find(field, values)
        return find(self._reader(entity, object_, [field]), field, values)

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """One batch request; each row succeeds or fails by itself."""
        from crm_sync_hubspot.writing import write

        return write(self._client, self._metadata, writes) if writes else []

    def usage(self) -> Usage | None:
        """API calls of the day, as the last answer told; OAuth apps are not told."""
        return self._client.usage()

    def missing_schema(self, wanted: Sequence[FieldSpec]) -> Sequence[SchemaChange]:
        """What of `wanted` the portal lacks, hides from this app, or has otherwise."""
        from crm_sync_hubspot.creating import missing

        return missing(self._metadata, wanted)

    def create_schema(self, changes: Sequence[SchemaChange], *, language: str) -> Sequence[Finding]:
        """Create what `missing_schema` found missing, labelled in `fr` or else in English."""
        from crm_sync_hubspot.creating import create_schema

        return create_schema(self._client, self._metadata, changes, language)

    def url(self, entity: Entity, id: str) -> str:
        """The record's page in HubSpot; costs a call unless the settings name the portal."""
        from crm_sync_hubspot.urls import record_url

        return record_url(self._config, self._metadata.portal, entity, id)

    def close(self) -> None:
        """Close all sockets."""
        self._client.close()

    def _reader(self, entity: Entity, object_: str, fields: Sequence[str]) -> Reader:
        from crm_sync_hubspot.looking import Reader

        return Reader(self._client, self._metadata, entity, object_, fields)
