"""Whose word about the original client is believed: the peers listed as trusted proxies, and the Supervisor's
access proxy where it has proven itself (`proxy_identity`). Nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

FORWARDED_FOR = b"x-forwarded-for"
REAL_IP = b"x-real-ip"


class TrustedProxies:
    """The peers whose X-Forwarded-* headers are believed.

    Args:
        networks: addresses ("10.0.0.7") or networks ("10.0.0.0/8"); raises ValueError for anything else.
    """

    def __init__(self, networks: Sequence[str] = ()) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(
            ip_network(entry, strict=False) for entry in networks
        )

    def trusts(self, ip: str) -> bool:
        """Whether `ip` is a trusted proxy."""
        if not self._networks:
            return False
        try:
            address = ip_address(ip)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        if mapped is not None:
            address = mapped
        return any(address.version == network.version and address in network for network in self._networks)

    def client(self, peer: str, headers: Iterable[tuple[bytes, bytes]], *, proven: bool = False) -> str:
        """The client's address: the right-most one in X-Forwarded-For that is no trusted proxy.

        Entries further left were written by that client itself and prove nothing.

        Args:
            proven: the peer is the Supervisor, which knows the client by its own list of trusted proxies and
                says so in X-Real-IP when it is not its peer.
        """
        if not proven and not self.trusts(peer):
            return peer
        hops: list[str] = []
        for name, value in headers:
            if proven and name == REAL_IP and (ip := bare_address(value.decode("latin-1"))) is not None:
                return ip
            if name == FORWARDED_FOR:
                hops.extend(value.decode("latin-1").split(","))
        for hop in reversed(hops):
            ip = bare_address(hop)
            if ip is None:
                return peer
            if not self.trusts(ip):
                return ip
            peer = ip
        return peer


def bare_address(text: str) -> str | None:
    """An IP address without brackets and port, None when it is none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return None
