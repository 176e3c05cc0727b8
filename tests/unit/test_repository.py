"""Promises about the working copy itself: its commands, its pinned packages, what is in its files."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from atoll.cli.reference.pages import ROOT

TARGETS = ("help", "setup", "up", "demo", "test", "test-all", "check", "web", "bench", "docs")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ \\]+)", re.MULTILINE | re.IGNORECASE)


def pins(name: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / "requirements" / name).read_text()))


def test_make_help_lists_every_promised_target() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not on this machine")
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in TARGETS:
        assert re.search(rf"^  make {target} +\S", listed, re.MULTILINE), target


def test_the_gate_runs_the_checks_and_the_tests_and_nothing_else() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert [line for line in lines if line.startswith("make")] == ["make check", "make test"]


def test_every_requirement_is_pinned_by_hash() -> None:
    for file in (ROOT / "requirements").glob("*.txt"):
        blocks = re.split(r"\n(?=[a-z0-9])", file.read_text(), flags=re.IGNORECASE)
        for block in blocks:
            if PINNED.search(block):
                assert "--hash=sha256:" in block, f"{file.name}: {block.splitlines()[0]}"


def test_pinned_requirements_agree_with_each_other() -> None:
    development = pins("dev.txt")
    for other in ("run.txt", "bench.txt"):
        differing = {
            name: (version, development[name])
            for name, version in pins(other).items()
            if name in development and development[name] != version
        }
        assert not differing, other


def test_every_dependency_of_the_project_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    pinned = {name.lower().replace("_", "-") for name in pins("dev.txt")}
    for requirement in wanted:
        name = re.split(r"[\[<>=;~ ]", requirement)[0].lower().replace("_", "-")
        assert name in pinned, f"{requirement} is not in requirements/dev.txt; run: make lock"


def test_tracked_files_name_no_machine_and_no_registry() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a working copy of git")
    done = subprocess.run(
        ["sh", "scripts/clean_files.sh"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_check_for_unclean_files_finds_them(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not on this machine")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/clean_files.sh", tmp_path / "scripts")
    (tmp_path / "bad.txt").write_text("see /ho" + "me/ada/notes and https://py" + "pi.org/simple\n")
    for command in (["git", "init", "-q"], ["git", "add", "."]):
        subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run(
        ["sh", "scripts/clean_files.sh"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout.count("bad.txt") == 2


def test_the_licence_is_apache() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()
