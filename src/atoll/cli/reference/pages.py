"""Which reference pages there are, and whether those in the documentation are what the code says."""

from __future__ import annotations

from pathlib import Path

from atoll.cli.reference import commands, errors, settings

#: The working copy; reference pages exist only there, not in an installed package.
ROOT = Path(__file__).resolve().parents[4]
NOTE = "<!-- Made from the code by `make docs`; changes here are lost. -->\n\n"


def pages() -> dict[str, str]:
    """The text of each page, by its path in the working copy."""
    return {
        "docs/reference/settings.md": NOTE + settings.page(),
        "docs/reference/errors.md": NOTE + errors.page(),
        "docs/reference/command-line.md": NOTE + commands.page(),
    }


def stale(root: Path = ROOT) -> list[str]:
    """The pages that are missing or differ from what the code says."""
    return [name for name, text in pages().items() if _read(root / name) != text]


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None
