"""What a command works with: the configuration, the database, and connections made from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crm_sync.config import Config, Connection, load_config
from crm_sync.errors import ConfigError
from crm_sync.mapping import Mapping, load_mapping
from crm_sync.store.database import Store
from crm_sync.yamlfile import together

if TYPE_CHECKING:
    from crm_sync.calls.steady import Steady


@dataclass(frozen=True)
class Workspace:
    """A loaded configuration and its open database."""

    config: Config
    store: Store

    def mapping(self, connection: Connection) -> Mapping:
        """The CRM mapping of a connection."""
        return load_mapping(connection.path(connection.settings.mapping))

    def misplaced(self, connection: Connection) -> list[ConfigError]:
        """What the mapping would read or write elsewhere than the connector does."""
        from crm_sync.registry import find
        from crm_sync.shipped import shipped

        crm = connection.settings.connector
        objects = find(crm).objects
        mapping = self.mapping(connection)
        if not shipped(own := f"mappings/{crm}.yaml").exists():
            return mapping.misplaced(objects)
        better = f"Use {own}: `crm-sync init --crm {crm} FOLDER` writes it."
        return mapping.misplaced(objects, better)

    @contextmanager
    def crm(self, connection: Connection, *, despite_mapping: bool = False) -> Iterator[Steady]:
        """The connection's CRM, wrapped in retries, breaker and quota floor.

        Raises `ConfigError` before anything is sent when the mapping is about other objects than
        the connector's; `despite_mapping` is for looking at the CRM all the same.
        """
        from crm_sync.calls.quota import QuotaFloor
        from crm_sync.calls.steady import Steady
        from crm_sync.registry import find

        if not despite_mapping and (wrong := self.misplaced(connection)):
            raise together(wrong)
        connector = find(connection.settings.connector)
        crm = connector.connect(connection.connector_config(connector.Config))
        steady = Steady(crm, floor=QuotaFloor(connection.settings.quota_floor))
        try:
            yield steady
        finally:
            steady.close()


@contextmanager
def open_workspace(path: Path) -> Iterator[Workspace]:
    """Load `config.yaml` and open its database, creating or upgrading it if need be."""
    config = load_config(path)
    store = Store.open(config.database_path)
    try:
        yield Workspace(config, store)
    finally:
        store.close()


def utc_now() -> datetime:
    """The one place where the product looks at the clock for a run's `now`."""
    return datetime.now(UTC)
