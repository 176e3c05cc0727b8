"""Which ports `atoll up` uses."""

from __future__ import annotations

import socket

from atoll.cli.exits import CommandFailed, ExitCode

LAST_PORT = 65535


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose connections are only fading away counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
        return True


def any_free(host: str) -> int:
    """A port that the system says is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def choose(host: str, first: int, count: int) -> list[int]:
    """The port `first` (0: any) and `count` free ports after it.

    Raises:
        CommandFailed: PORT_TAKEN when `first` is in use, USAGE when the host is not one of this machine.
    """
    try:
        spare = any_free(host)
    except OSError as error:
        raise CommandFailed(
            ExitCode.USAGE, f"--host {host}: this machine cannot listen there ({error.strerror})"
        ) from error
    if first == 0:
        first = spare
    elif not is_free(host, first):
        raise CommandFailed(
            ExitCode.PORT_TAKEN,
            f"port {first} on {host} is in use. Stop the program that uses it, or choose another one "
            f"with --port.",
        )
    ports = [first]
    candidate = first + 1
    while len(ports) <= count:
        if candidate > LAST_PORT:
            raise CommandFailed(
                ExitCode.PORT_TAKEN, f"there are not {count} free ports above {first}; choose a lower --port"
            )
        if is_free(host, candidate):
            ports.append(candidate)
        candidate += 1
    return ports
