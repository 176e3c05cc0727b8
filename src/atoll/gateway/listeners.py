"""Listening sockets: taken from an address, or inherited from the process that took it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

from atoll.errors import PortTaken

BACKLOG = 2048


def listen(host: str, port: int) -> list[socket.socket]:
    """One listening socket for each address that `host` stands for; port 0 takes a free one for all of them.

    Raises:
        PortTaken: the address is in use, not allowed, or not an address of this machine.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise PortTaken(
            f"{host!r} is no address of this machine. Set APP_HOST.", detail=str(error)
        ) from error
    listeners: list[socket.socket] = []
    for family, kind, protocol, _, address in dict.fromkeys(found):
        listener = socket.socket(family, kind, protocol)
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if port == 0 and listeners:
            address = (address[0], listeners[0].getsockname()[1], *address[2:])
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRNOTAVAIL and listeners:
                continue  # a name that stands for several addresses, not all of them ours
            close(listeners)
            raise PortTaken(_why(host, port, error), detail=str(error)) from error
        listeners.append(listener)
    return listeners


def inherited(descriptors: Iterable[int]) -> list[socket.socket]:
    """The listening sockets that a parent process left open for this one."""
    listeners = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    for listener in listeners:
        listener.setblocking(False)
        listener.set_inheritable(False)
    return listeners


def close(listeners: list[socket.socket]) -> None:
    """Closes them; those of other processes that share them stay open."""
    for listener in listeners:
        listener.close()
    listeners.clear()


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program. Stop it, or set APP_PORT to another port."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} needs more rights than this user has. Set APP_PORT to a port above 1023."
    return f"{host}:{port} is no address of this machine. Set APP_HOST."
