"""Pushing messages to the browsers that have an app open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

import msgspec

_QUEUE = 256


class LiveClient:
    """One WebSocket connection; `user_id` and `roles` are set once it has shown a token."""

    def __init__(self) -> None:
        self.user_id: int | None = None
        self.roles: frozenset[str] = frozenset()
        self.messages: asyncio.Queue[str | None] = asyncio.Queue(_QUEUE)
        self.closed = False

    def offer(self, message: str) -> None:
        """Queues a message; a client that does not read is disconnected rather than waited for."""
        if self.closed:
            return
        try:
            self.messages.put_nowait(message)
        except asyncio.QueueFull:
            self.close()

    def close(self) -> None:
        """Ends the connection after what is queued could still be dropped."""
        if not self.closed:
            self.closed = True
            while not self.messages.empty():
                self.messages.get_nowait()
            self.messages.put_nowait(None)


class LiveHub:
    """The open connections of one app in this process, and the way to those of other instances.

    Args:
        forward: hands a message to the other instances of the app.
    """

    def __init__(self, forward: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self._clients: set[LiveClient] = set()
        self._forward = forward

    def __len__(self) -> int:
        return len(self._clients)

    def join(self) -> LiveClient:
        """A new connection."""
        client = LiveClient()
        self._clients.add(client)
        return client

    def leave(self, client: LiveClient) -> None:
        """A connection has ended."""
        self._clients.discard(client)

    async def publish(
        self,
        kind: str,
        payload: object,
        *,
        user_id: int | None = None,
        role: str | None = None,
        any_role: Collection[str] | None = None,
    ) -> None:
        """Sends `{"type": kind, "payload": payload}` to the app's clients, on all instances.

        Args:
            user_id: only to this user's connections.
            role: only to connections of users who hold this role.
            any_role: only to connections of users who hold one of these roles.
        """
        message = {"type": kind, "payload": payload}
        self.deliver(message, user_id=user_id, role=role, any_role=any_role)
        roles = None if any_role is None else list(any_role)
        await self._forward({"message": message, "user_id": user_id, "role": role, "any_role": roles})

    def deliver(
        self,
        message: dict[str, Any],
        *,
        user_id: int | None = None,
        role: str | None = None,
        any_role: Collection[str] | None = None,
    ) -> None:
        """Sends to the clients of this process only."""
        chosen = [client for client in self._clients if _addressed(client, user_id, role, any_role)]
        if chosen:
            text = msgspec.json.encode(message).decode()
            for client in chosen:
                client.offer(text)

    def drop(self, clients: Iterable[LiveClient] | None = None) -> None:
        """Disconnects the given clients, or all."""
        for client in list(self._clients if clients is None else clients):
            client.close()

    def drop_signed_in(self) -> None:
        """Disconnects everybody who has shown a token; the browsers connect and authenticate again."""
        self.drop([client for client in self._clients if client.user_id is not None])

    def drop_user(self, user_id: int) -> None:
        """Disconnects a user whose rights changed; the browser connects and authenticates again."""
        self.drop([client for client in self._clients if client.user_id == user_id])


def _addressed(
    client: LiveClient, user_id: int | None, role: str | None, any_role: Collection[str] | None
) -> bool:
    return (
        (user_id is None or client.user_id == user_id)
        and (role is None or role in client.roles)
        and (any_role is None or not client.roles.isdisjoint(any_role))
    )
