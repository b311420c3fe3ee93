"""The command line. `main` turns every error into one clear message and an exit code."""

from __future__ import annotations

import shutil
import sys
import textwrap
import traceback
from pathlib import Path
from typing import NoReturn

INTERRUPTED = 130


def main() -> None:
    """Run `crm-sync`; exits with the codes of `docs/reference/exit-codes.md`."""
    from crm_sync.errors import CrmSyncError

    try:
        from crm_sync.cli.app import app

        app()
    except CrmSyncError as problem:
        _complain(str(problem))
        sys.exit(problem.exit_code)
    except KeyboardInterrupt:
        _say_interrupted()
    except SystemExit as ending:
        # Typer turns Ctrl-C into this exit, and says nothing.
        if ending.code == INTERRUPTED:
            _say_interrupted()
        if ending.code == 1 and isinstance(ending.__context__, BrokenPipeError):
            sys.exit(0)  # the reader (head, less) has gone; that is its right
        raise
    except Exception as problem:
        if "--verbose" in sys.argv or "-v" in sys.argv:
            raise
        _complain(_unexpected(problem))
        sys.exit(1)


def _say_interrupted() -> NoReturn:
    _complain("interrupted\n  Nothing is lost: give the same command again to go on.")
    sys.exit(INTERRUPTED)


def _unexpected(problem: Exception) -> str:
    """A defect of ours: where it is, without its text, which may hold a customer's data."""
    frames = traceback.extract_tb(problem.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return (
        f"an unexpected {type(problem).__name__} at {where}; this is a defect of crm-sync\n"
        "  Nothing that was written is lost. For a report, run it again with -v before the command."
    )


def _complain(message: str) -> None:
    """To standard error; on a terminal in lines that fit, without breaking a path or a word."""
    text = f"crm-sync: {message}"
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        text = "\n".join(_wrapped(line, width) for line in text.splitlines())
    print(text, file=sys.stderr)  # noqa: T201 - the command line speaks here


def _wrapped(line: str, width: int) -> str:
    indent = line[: len(line) - len(line.lstrip())] or "  "
    first = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line.strip(),
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
