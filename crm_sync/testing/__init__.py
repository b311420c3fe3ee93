"""For authors of connectors: the contract as a test suite. Needs the `test` extra.

```python
from crm_sync.testing import ConnectorContract, Harness
```
"""

from __future__ import annotations

import pytest

# Before the import, so that a broken law shows the values that broke it.
pytest.register_assert_rewrite(
    "crm_sync.testing.contract",
    "crm_sync.testing.faults",
    "crm_sync.testing.links",
    "crm_sync.testing.pulls",
)

from crm_sync.testing.contract import ConnectorContract  # noqa: E402
from crm_sync.testing.harness import Harness  # noqa: E402

__all__ = ["ConnectorContract", "Harness"]
