"""An OpenID provider for tests: a process of its own that lets in whoever asks, under any name."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

_PATIENCE = 30.0


@contextmanager
def oidc_provider() -> Iterator[str]:
    """The issuer of a running provider; it insists on a nonce, and takes any client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    issuer = f"http://localhost:{port}"
    # Its libraries warn about each other.
    program = (sys.executable, "-W", "ignore", "-m", "oidc_provider_mock")
    command = (*program, "--port", str(port), "--require-nonce", "true")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + _PATIENCE
            while not _answers(issuer):
                if process.poll() is not None or time.monotonic() > until:
                    raise TimeoutError("the OpenID provider did not begin")
                time.sleep(0.1)
            yield issuer
        finally:
            process.terminate()


def _answers(issuer: str) -> bool:
    try:
        return httpx.get(f"{issuer}/.well-known/openid-configuration").is_success
    except httpx.TransportError:
        return False
