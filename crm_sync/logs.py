"""Structured logs on standard error: record ids only, never personal data, never a secret."""

from __future__ import annotations

import re
import sys
from collections.abc import MutableMapping
from typing import Any

_SECRET_KEY = re.compile(r"secret|password|token|authorization|session_id", re.IGNORECASE)
_HIDDEN = "[redacted]"


def configure(*, verbose: bool = False, json: bool = False) -> None:
    """Set up structlog once, at the start of a command.

    Quiet (warnings) by default, since the commands speak for themselves; `verbose` shows what
    happens; `json` writes one object a line, for machines.
    """
    import logging

    import structlog

    renderer: Any = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.INFO if verbose else logging.WARNING
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # Libraries under us log what they send; that may be personal data.
    for noisy in ("urllib3", "simple_salesforce", "hubspot"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide the values of keys that name a secret."""
    for key in event:
        if _SECRET_KEY.search(key):
            event[key] = _HIDDEN
    return event
