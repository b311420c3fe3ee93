"""The Salesforce connector: crm-sync's protocol in terms of queries and sObject collections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import quote

from crm_sync.connector import (
    BatchRejected,
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
    ServerFault,
    Usage,
    Write,
    WriteResult,
)
from crm_sync_salesforce.config import SalesforceConfig
from crm_sync_salesforce.objects import OBJECTS
from crm_sync_salesforce.schema import SCHEMA

if TYPE_CHECKING:
    from crm_sync_salesforce.client import SalesforceClient

CHECKED = (Entity.CONTACT, Entity.ACCOUNT, Entity.COLLEAGUE, Entity.TASK)
"""What `check` looks at: the objects that the main job reads and writes."""

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_METHODS = {Operation.CREATE: "POST", Operation.UPDATE: "PATCH"}


class SalesforceConnector:
    """One Salesforce org. See `crm_sync.connector` for what each method promises.

    Pulls read in pages of a server-side query. An incremental pull reads every row changed since
    the last one began, by Salesforce's clock and with an overlap, deleted and merged ones too.
    With `where` it reads the ids of what changed, and the fields of those that satisfy it; the
    others are gone. What changes only by a formula, by another object's record or with time does
    not count as changed. Deletes older than the recycle bin (15 days) are not told: leave no
    longer gaps, or let everything be read again.
    """

    Config: ClassVar[type[ConnectorConfig]] = SalesforceConfig
    capabilities: ClassVar[Capabilities] = Capabilities(
        page_size=2000,
        read_batch=500,
        write_batch=200,
        operations=frozenset({Operation.CREATE, Operation.UPDATE, Operation.DELETE}),
        unique_task_key=True,
        settle_seconds=10.0,
        late_seconds=600.0,
    )
    schema: ClassVar[Sequence[FieldSpec]] = SCHEMA
    objects: ClassVar[Mapping[Entity, str]] = OBJECTS

    def __init__(self, config: SalesforceConfig, client: SalesforceClient) -> None:
        self._config = config
        self._client = client
        # The class declares what Salesforce does; a connection may page and settle otherwise.
        vars(self)["capabilities"] = replace(
            type(self).capabilities,
            page_size=config.page_size,
            settle_seconds=config.settle_seconds,
            late_seconds=config.patience,
        )

    @classmethod
    def connect(cls, config: ConnectorConfig) -> Self:
        """Build the client; nothing is sent until the first call."""
        from crm_sync_salesforce.client import SalesforceClient

        if not isinstance(config, SalesforceConfig):
            raise ConfigError("these are not the settings of a Salesforce connection")
        return cls(config, SalesforceClient(config))

    def check(self) -> Sequence[Finding]:
        """Sign-in, allowance and access to objects; `missing_schema` and `describe` tell of fields.

        Raises `AccessDenied` or `TryLater` when the org cannot even be asked.
        """
        from crm_sync_salesforce.checking import check

        return check(self._client, {entity: OBJECTS[entity] for entity in CHECKED})

    def describe(self, entity: Entity) -> Sequence[FieldSpec]:
        """Every field of the entity's object that this user can see."""
        from crm_sync_salesforce.describing import field_specs

        answer = self._client.call("GET", f"sobjects/{OBJECTS[entity]}/describe")
        if not isinstance(answer.body, dict):
            raise ServerFault("the description is not understood")
        return field_specs(entity, answer.body)

    def pull(
        self,
        entity: Entity,
        fields: Sequence[str],
        *,
        cursor: str | None,
        where: str = "",
        object_name: str = "",
    ) -> Iterator[Page]:
        """Pages of everything (no cursor) or of what changed, each with the cursor after it."""
        from crm_sync_salesforce.pulling import Pull

        object_ = object_name or OBJECTS[entity]
        return Pull(self._client, entity, object_, fields, where).pages(cursor)

    def read(self, entity: Entity, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record]:
        """The live records of these ids, in no promised order; ids come back 18 long."""
        from crm_sync_salesforce.looking import read

        wanted = [id for id in dict.fromkeys(ids) if _ID.fullmatch(id)]
        return read(self._client, entity, OBJECTS[entity], wanted, fields) if wanted else []

    def find(self, entity: Entity, field: str, values: Sequence[str]) -> Sequence[Record]:
        """Live records whose field is one of the values, as Salesforce compares text.

        That is without regard to case, unless the field says otherwise. Blank values find nothing.
        """
        from crm_sync_salesforce.looking import find

        wanted = [value for value in dict.fromkeys(values) if value.strip()]
        return find(self._client, entity, OBJECTS[entity], field, wanted) if wanted else []

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """One collection request; each row succeeds or fails by itself.

        Salesforce stores an empty text as null and trims blanks around it.
        """
        from crm_sync_salesforce.records import result

        if not writes:
            return []
        operation, object_ = writes[0].operation, OBJECTS[writes[0].entity]
        if operation is Operation.DELETE:
            answers = self._delete([write.record_id for write in writes])
        elif operation in _METHODS:
            answers = self._save(_METHODS[operation], writes, object_)
        else:
            raise BatchRejected("UNSUPPORTED", f"Salesforce has no {operation} of its own")
        if not isinstance(answers, list) or len(answers) != len(writes):
            raise ServerFault("the answer does not tell every row's outcome", sent=True)
        return [result(write, answer) for write, answer in zip(writes, answers, strict=True)]

    def usage(self) -> Usage | None:
        """API calls of the last 24 hours, of the whole org, as the last answer told."""
        return self._client.usage()

    def missing_schema(self, wanted: Sequence[FieldSpec]) -> Sequence[SchemaChange]:
        """What of `wanted` the org lacks, hides from this user, or has otherwise."""
        from crm_sync_salesforce.describing import missing

        changes: list[SchemaChange] = []
        for entity in dict.fromkeys(spec.entity for spec in wanted):
            specs = [spec for spec in wanted if spec.entity is entity]
            changes += missing(specs, self.describe(entity))
        return changes

    def url(self, entity: Entity, id: str) -> str:
        """The record's page in Lightning."""
        where = f"{OBJECTS[entity]}/{quote(id, safe='')}"
        return f"{self._config.instance_url}/lightning/r/{where}/view"

    def close(self) -> None:
        """Close all sockets."""
        self._client.close()

    def _save(self, method: str, writes: Sequence[Write], object_: str) -> Any:
        from crm_sync_salesforce.errors import no_such_field, unknown_column
        from crm_sync_salesforce.records import row

        rows = [row(write, object_) for write in writes]
        body = {"allOrNone": False, "records": rows}
        try:
            return self._client.call(method, "composite/sobjects", writes=True, body=body).body
        except BatchRejected as refusal:
            name = unknown_column(refusal.message)
            if name and all(name in write.fields for write in writes):
                # Halving the batch would only spend calls on rows that all fail alike.
                raise no_such_field(object_, name) from None
            raise

    def _delete(self, ids: Sequence[str]) -> Any:
        if bad := [id for id in ids if not _ID.fullmatch(id)]:
            raise BatchRejected("MALFORMED_ID", f"{bad[0][:40]!r} is not the id of a record")
        params = {"ids": ",".join(ids), "allOrNone": "false"}
        return self._client.call("DELETE", "composite/sobjects", writes=True, params=params).body
