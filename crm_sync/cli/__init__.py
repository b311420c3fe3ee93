"""The command line. `main` turns every error into one clear message and an exit code."""

from __future__ import annotations

import sys


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
        _complain(
            "interrupted\n  What was sent is in the journal; run the same command again to go on."
        )
        sys.exit(130)
    except BrokenPipeError:
        # The reader (head, less) has gone; that is its right.
        sys.stderr.close()
        sys.exit(0)


def _complain(message: str) -> None:
    print(f"crm-sync: {message}", file=sys.stderr)  # noqa: T201 - the command line speaks here
