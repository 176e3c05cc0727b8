"""A private RabbitMQ for tests: own node name, cookie, ports and folder, all on the loopback address."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from atoll.testing.processes import free_port
from atoll.testing.services import ServiceMissing

START_SECONDS = 90.0
STOP_SECONDS = 30.0
# The program on Debian's PATH is a wrapper that changes the account; the one behind it runs as anybody.
BEHIND_WRAPPER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def find_rabbitmq() -> Path:
    """The `rabbitmq-server` program. Raises ServiceMissing."""
    if BEHIND_WRAPPER.exists():
        return BEHIND_WRAPPER
    found = shutil.which("rabbitmq-server")
    if found is None:
        raise ServiceMissing("No RabbitMQ server. Install the package rabbitmq-server.")
    return Path(found)


class RabbitServer:
    """One node on fixed free ports, whose life a test decides over; it keeps its data over a restart.

    Args:
        folder: for its data, log and cookie.
        lines: more of `rabbitmq.conf`.
    """

    def __init__(self, folder: Path, *lines: str) -> None:
        self._program = find_rabbitmq()
        self._folder = folder
        self._port = free_port()
        self._names_port = free_port()
        self._distribution_port = free_port()
        self._node = f"atoll-{secrets.token_hex(4)}@localhost"
        self._names: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        cookie = folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16).upper())
        cookie.chmod(0o400)
        (folder / "enabled_plugins").write_text("[].")
        usual = ("disk_free_limit.absolute = 50MB", "log.file.level = warning")
        (folder / "rabbitmq.conf").write_text("\n".join((*usual, *lines, "")))

    @property
    def url(self) -> str:
        """As the settings take it."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    def start(self) -> None:
        """Starts the node with what it has, and waits until it takes connections."""
        environment = self._environment()
        if self._names is None:
            epmd = shutil.which("epmd")
            if epmd is None:
                raise ServiceMissing("No Erlang (epmd). Install the package rabbitmq-server.")
            self._names = subprocess.Popen(
                [epmd],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _until_open(self._names, self._names_port, START_SECONDS)
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [str(self._program)],
                env=environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not _until_open(self._process, self._port, START_SECONDS):
            said = (self._folder / "output").read_text(errors="replace").splitlines()[-5:]
            raise ServiceMissing(f"RabbitMQ does not start: {' | '.join(said)}")

    def kill(self) -> None:
        """Ends the node at once."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends the node in order."""
        self._end(signal.SIGTERM)

    def close(self) -> None:
        """Ends everything."""
        self.kill()
        names, self._names = self._names, None
        if names is not None:
            names.kill()
            names.wait(STOP_SECONDS)

    def _end(self, how: signal.Signals) -> None:
        """The program is a script that runs the node as its child: the signal is for their own session."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS)
        deadline = time.monotonic() + STOP_SECONDS
        while _is_open(self._port) and time.monotonic() < deadline:  # the node outlives its script a little
            time.sleep(0.02)

    def _environment(self) -> dict[str, str]:
        folder = str(self._folder)
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": folder,
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._names_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none +S 2:2"
            ),
        }


@contextmanager
def rabbitmq_server(*lines: str) -> Iterator[RabbitServer]:
    """Runs a RabbitMQ for the block. It takes several seconds to start, so share it.

    Args:
        lines: more of `rabbitmq.conf`.
    """
    with tempfile.TemporaryDirectory(prefix="atoll-rabbitmq-") as name:
        server = RabbitServer(Path(name), *lines)
        try:
            server.start()
            yield server
        finally:
            server.close()


def _until_open(process: subprocess.Popen[bytes], port: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        if _is_open(port):
            return True
        time.sleep(0.05)
    return False


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
