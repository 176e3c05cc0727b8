#!/bin/sh
# Makes .venv and installs everything that development and `make up` need, pinned by hash.
# Does nothing when requirements, project file and Python are the same as last time.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
fail() { say "setup: $*"; exit 1; }

inputs() { cat requirements/bootstrap.txt requirements/dev.txt pyproject.toml scripts/setup.sh; }
key=$(inputs | git hash-object --stdin) || fail "git is needed; please install it"
stamp=.venv/.atoll-setup
if [ -x .venv/bin/atoll ] && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

good_python() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null
}
python=""
# A name on the PATH may be a shim of a version switcher that leads nowhere, so each is tried, not only found.
for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.14 python; do
    if [ -n "$candidate" ] && good_python "$candidate"; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "Python 3.11, 3.12, 3.13 or 3.14 is needed and none was found.
  Install one (Debian/Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13),
  or name it: make setup PYTHON=/path/to/python3.12"

rm -f "$stamp"
if [ ! -x .venv/bin/python ] || ! good_python .venv/bin/python; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "this Python has no venv or ensurepip module.
  Debian/Ubuntu: apt install python3-venv. Then run make again."
    say "[1/4] making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
else
    say "[1/4] .venv is there"
fi

say "[2/4] installing the package installer (uv)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt

say "[3/4] installing the pinned packages (the first time downloads about 300 MB)"
# A mirror configured for pip serves uv too, unless uv has one of its own.
if [ -n "${PIP_INDEX_URL:-}" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
    export UV_DEFAULT_INDEX="$PIP_INDEX_URL"
fi
VIRTUAL_ENV=$(pwd)/.venv
export VIRTUAL_ENV
.venv/bin/uv pip sync --quiet --require-hashes requirements/bootstrap.txt requirements/dev.txt

say "[4/4] installing atoll into .venv"
.venv/bin/uv pip install --quiet --no-deps --no-build-isolation -e .
inputs | git hash-object --stdin > "$stamp"
