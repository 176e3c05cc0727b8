"""Writes the reference pages (`python -m atoll.cli.reference`), or says which are stale (`--check`)."""

from __future__ import annotations

import sys
from pathlib import Path

from atoll.cli.reference.pages import ROOT, pages, stale


def main(words: list[str]) -> int:
    """Writes or checks; the exit code is 1 when a page is stale."""
    if words == ["--check"]:
        behind = stale()
        for name in behind:
            sys.stderr.write(f"{name} is not what the code says; run: make docs\n")
        return 1 if behind else 0
    for name, text in pages().items():
        file = Path(ROOT / name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        sys.stderr.write(f"wrote {name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
