"""The documentation says what the code says, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from atoll import settings
from atoll.cli.exits import ExitCode
from atoll.cli.reference import commands, errors
from atoll.cli.reference.pages import ROOT, pages, stale

DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("changes/*.md")])
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_reference_pages_are_what_the_code_says() -> None:
    assert stale() == [], "run: make docs"


def test_a_changed_page_counts_as_stale(tmp_path: Path) -> None:
    for name, content in pages().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert stale(tmp_path) == []
    (tmp_path / "docs/reference/settings.md").write_text("old")
    assert stale(tmp_path) == ["docs/reference/settings.md"]


def test_every_setting_is_documented_and_explained() -> None:
    page = text("docs/reference/settings.md")
    for row in settings.describe({}):
        assert f"| `{row.name}` |" in page
        assert row.help.endswith("."), row.name


def test_every_error_and_exit_code_is_documented_and_explained() -> None:
    page = text("docs/reference/errors.md")
    for known in errors.classes():
        assert f"| `{known.code}` |" in page
        assert known.__doc__
    for code in errors.raised_codes():
        assert f"| `{code}` |" in page
    for member in ExitCode:
        assert f"| {member.value} | `{member.name}` |" in page


def test_error_codes_are_given_once() -> None:
    codes = [known.code for known in errors.classes()]
    assert len(set(codes)) == len(codes)


def test_every_command_and_option_is_documented_and_explained() -> None:
    page = text("docs/reference/command-line.md")
    for name, command in commands.commands():
        assert f"## {name}\n" in page
        assert command.help, name
        for parameter in command.params:
            assert parameter.help, f"{name} {parameter.name}"


@pytest.mark.parametrize("file", DOCS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(file: Path) -> None:
    for target in LINK.findall(CODE_BLOCK.sub("", file.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        other = (file.parent / name).resolve() if name else file
        assert other.exists(), f"{file.name} links to {target}"
        if anchor:
            assert anchor in _anchors(other), f"{file.name} links to {target}"


def test_every_page_is_reached_from_the_contents() -> None:
    contents = text("docs/README.md")
    for file in ROOT.glob("docs/**/*.md"):
        name = file.relative_to(ROOT / "docs").as_posix()
        assert name == "README.md" or f"({name})" in contents, f"docs/README.md does not name {name}"


def _anchors(file: Path) -> set[str]:
    headings = HEADING.findall(file.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_tests_that_pages_name_are_there() -> None:
    named = re.findall(r"`((?:tests|src)/[\w/]+\.py)::(\w+)`", text("docs/explanation/failure-modes.md"))
    assert len(named) > 50
    for file, name in named:
        assert re.search(rf"def {name}\(", text(file)), f"{file}::{name}"
