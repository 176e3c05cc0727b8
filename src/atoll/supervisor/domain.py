"""Where a domain leads, as seen from this Supervisor."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from atoll.supervisor.routing import normal_host

PATIENCE_SECONDS = 4.0
_MOST = 16


async def domain_check(domain: str, entry: str) -> dict[str, Any]:
    """Asks the resolver of this machine for a domain, and for the host under which people reach this server.

    Returns:
        `domain`, `entry`: as asked for, without ports; `addresses`, `entryAddresses`: found for each, sorted;
        `pointsHere`: whether they have one in common, None when one of them has none; `message`: why there is
        no address, else "".
    """
    hosts = (normal_host(domain), normal_host(entry))
    (found, message), (own, _) = await asyncio.gather(*(_addresses(host) for host in hosts))
    return {
        "domain": hosts[0],
        "entry": hosts[1],
        "addresses": found,
        "entryAddresses": own,
        "pointsHere": bool(set(found) & set(own)) if found and own else None,
        "message": message,
    }


async def _addresses(host: str) -> tuple[list[str], str]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except TimeoutError:
        return [], f"The resolver did not answer within {PATIENCE_SECONDS:g} seconds."
    except (OSError, UnicodeError) as error:
        return [], getattr(error, "strerror", None) or str(error)
    return sorted({str(address[0]) for *_, address in found})[:_MOST], ""
