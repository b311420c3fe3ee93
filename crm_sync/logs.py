"""Structured logs on standard error: record ids only, never personal data, never a secret."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

_SECRET_KEY = re.compile(
    r"secret|passw|token|authori[sz]ation|session|credential|cookie|api_?key", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"""(?ix)
    (?P<bearer> \b (?:bearer|basic) \s+ ) [\w.!~+/=-]{8,}
    | (?P<pair> \b \w* (?:secret|passw(?:or)?d|token|session_?id) \w* ["']? \s* [=:] \s* ["']? )
      [^\s"'&,;<>]+
    | (?P<url> \b [a-z][a-z0-9+.-]* :// ) [^\s/@]+ @
    """
)
_HIDDEN = "[redacted]"
_SHORTEST = 6
_kept_out: set[str] = set()


def keep_out(secret: str) -> None:
    """From now on, no log line holds this text, whatever key or sentence it would stand in.

    Texts shorter than six characters are left: they would black out words that happen to hold
    them.
    """
    if len(secret) >= _SHORTEST:
        _kept_out.add(secret)


def configure(*, verbose: bool = False, json: bool = False) -> None:
    """Set up structlog once, at the start of a command.

    Quiet (warnings) by default, since the commands speak for themselves; `verbose` shows what
    happens; `json` writes one object a line, for machines.
    """
    import logging

    import structlog

    # Not the pretty tracebacks: they print local variables, which hold people's data.
    console = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if json else console
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
    """Hide secrets, however deep: values of keys that name one, and texts that hold one."""
    for key, value in event.items():
        event[key] = _clean(value, str(key))
    return event


def _clean(value: Any, key: str = "") -> Any:
    if key and _SECRET_KEY.search(key):
        return _HIDDEN
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, Mapping):
        return {name: _clean(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    if isinstance(value, BaseException):
        return _clean_text(repr(value))
    return value


def _clean_text(text: str) -> str:
    for secret in _kept_out:
        text = text.replace(secret, _HIDDEN)
    return _SECRET_TEXT.sub(_without_secret, text)


def _without_secret(found: re.Match[str]) -> str:
    kept = found["bearer"] or found["pair"] or found["url"]
    return f"{kept}{_HIDDEN}{'@' if found['url'] else ''}"
