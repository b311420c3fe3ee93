"""The command line answers at once: heavy libraries are imported where they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from crm_sync.cli.app import app

HEAVY = (
    "duckdb", "pyarrow", "sqlalchemy", "alembic", "simple_salesforce", "hubspot", "apscheduler",
    "jinja2", "ruamel", "requests", "tenacity", "adbc_driver_manager", "tldextract", "pydantic",
)  # fmt: skip


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['crm-sync', '--help']\n"
        "from crm_sync.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split("LOADED", 1)[1].split()
    assert "crm_sync" in loaded
    assert not set(loaded) & set(HEAVY)


@pytest.mark.parametrize("arguments", [["nonsense"], ["plan", "--nonsense"], ["apply"]])
def test_a_wrong_command_line_exits_with_2_and_shows_the_help(arguments: list[str]) -> None:
    command = [str(Path(sys.executable).with_name("crm-sync")), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert " -h" in done.stderr
    assert "Traceback" not in done.stderr


def test_flags_are_shown_without_a_value() -> None:
    group = typer.main.get_command(app)
    for command in ((), *((name,) for name in group.commands)):  # type: ignore[attr-defined]
        told = CliRunner().invoke(app, [*command, "--help"])
        assert told.exit_code == 0
        assert "bool" not in told.stdout, command
