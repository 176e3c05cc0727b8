"""Whether an address of an environment answers, as seen from this Supervisor."""

from __future__ import annotations

import time
from typing import Any

import httpx

HEALTH_PATH = "/api/__health_check"
PATIENCE_SECONDS = 5.0


async def reach(address: str) -> dict[str, Any]:
    """Asks for the health of whoever is at an address, once; follows no redirect and reads no body.

    Returns:
        `address`; `status`: of the answer, None for none; `milliseconds`: until the answer began, or until it
        was given up; `message`: why there is no answer, else "".
    """
    status, message = None, ""
    begun = time.perf_counter()
    try:
        async with (
            httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", address.rstrip("/") + HEALTH_PATH) as answer,
        ):
            status = answer.status_code
            took = time.perf_counter() - begun
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        took = time.perf_counter() - begun
        message = str(error) or f"There was no answer within {PATIENCE_SECONDS:g} seconds."
    return {"address": address, "status": status, "milliseconds": round(took * 1000), "message": message}
