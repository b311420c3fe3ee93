"""What was learned of a source is kept until something newer of its kind takes its place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from crm_sync.store.database import Store
from crm_sync.store.learned import CALIBRATION, PARAMETERS, learned_of, save_learned

NOW = datetime(2026, 6, 15, 5, tzinfo=UTC)


def test_the_latest_of_each_kind_and_source_is_kept(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "x.db")
    first = {(CALIBRATION, "one"): "1", (PARAMETERS, "one"): "2", (CALIBRATION, "two"): "3"}
    with store.begin() as tx:
        save_learned(tx, "emea", first, NOW)
        save_learned(tx, "emea", {(CALIBRATION, "one"): "4"}, NOW)
        save_learned(tx, "apac", {}, NOW)
    with store.read() as tx:
        assert learned_of(tx, "emea") == {**first, (CALIBRATION, "one"): "4"}
        assert learned_of(tx, "apac") == {}
    store.close()
