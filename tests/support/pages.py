"""The documentation's pages, and what they show."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"]


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under the heading that begins so, up to the next one of its rank."""
    rank = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}\b.*?(?=^#{{1,{len(rank)}}} |\Z)", text, re.M | re.S)
    assert found, f"no heading {heading!r}"
    return found.group()


def code_words(text: str) -> set[str]:
    """Every word that stands in backticks."""
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    return {word for span in spans for word in re.findall(r"[\w.-]+", span)}


def files_of(text: str) -> dict[str, str]:
    """The files that a page shows: a line with the name in backticks, then the block."""
    return dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```", text, re.M | re.S))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def write_files(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
