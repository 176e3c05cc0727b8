"""RabbitMQ: reachable, new enough, allowed to do what the queue does, taking messages, quick."""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from atoll.cli.checks.result import Check, ok, remark, wrong
from atoll.settings import Settings

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel

VARIABLE = "QUEUE_ADAPTER_RABBITMQ_URL"
LEAST_VERSION = (3, 10)
NO_TRY_LIMIT = (3, 12)
TIMEOUT_SECONDS = 5.0
ROUNDS = 10
SLOW_SECONDS = 0.05


async def rabbitmq_checks(settings: Settings) -> list[Check]:
    """Nothing unless the queue is there. Changes nothing: what it makes goes with its connection."""
    url = settings.queue_adapter_rabbitmq_url
    if settings.queue_adapter != "rabbitmq" or url is None:
        return []
    parts = urlsplit(url)
    subject = f"RabbitMQ {parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
    try:
        import aio_pika
        from aiormq.exceptions import (
            AMQPError,
            AuthenticationError,
            ChannelAccessRefused,
            ProbableAuthenticationError,
        )
    except ImportError as error:
        return [wrong(subject, f"no client ({error})", "install the extra `rabbitmq` of atoll")]
    try:
        connection = await aio_pika.connect(url, timeout=TIMEOUT_SECONDS)
    except (AuthenticationError, ProbableAuthenticationError):
        return [wrong(subject, "refused the user or password", f"correct them in {VARIABLE}")]
    except (AMQPError, OSError, TimeoutError) as error:
        text = f"no answer ({type(error).__name__})"
        return [wrong(subject, text, f"start RabbitMQ there, or correct {VARIABLE}")]
    async with connection:
        transport: Any = connection.transport
        checks = [_version(subject, str(transport.connection.server_properties.get("version", "0")))]
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                took = await _use(await connection.channel(), settings.redis_namespace)
        except ChannelAccessRefused:
            remedy = f"rabbitmqctl set_permissions USER '^{settings.redis_namespace}\\..*' '.*' '.*'"
            return [*checks, wrong(subject, "its user may not make queues", remedy)]
        except TimeoutError:
            remedy = "rabbitmqctl status names the alarm: free memory or disk there"
            return [*checks, wrong(subject, "takes no messages now", remedy)]
        except AMQPError as error:
            remedy = "look at the log of RabbitMQ"
            return [*checks, wrong(subject, f"classic queues with priorities are refused ({error})", remedy)]
    checks.append(ok(subject, "takes messages into classic queues with priorities, no alarm"))
    return [*checks, _speed(subject, took)]


async def _use(channel: AbstractChannel, namespace: str) -> float:
    """Seconds until a message is confirmed, by a queue of the kind that the work lies in. An alarm shows when
    something is published: RabbitMQ then reads nothing more from the connection."""
    import aio_pika

    queue = await channel.declare_queue(
        f"{namespace}.doctor.{secrets.token_hex(4)}",
        exclusive=True,
        arguments={"x-queue-type": "classic", "x-max-priority": 9},
    )
    samples = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await channel.default_exchange.publish(aio_pika.Message(b""), queue.name)
        samples.append(time.perf_counter() - began)
    return statistics.median(samples)


def _version(subject: str, version: str) -> Check:
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < LEAST_VERSION:
        return wrong(subject, f"version {version}", "install RabbitMQ 3.10 or newer")
    if numbers < NO_TRY_LIMIT:
        return remark(
            subject,
            f"version {version}: one try of a long task ends after its consumer_timeout, half an hour",
            "RabbitMQ 3.12 lets Atoll say otherwise; or set consumer_timeout in rabbitmq.conf",
        )
    return ok(subject, f"version {version}")


def _speed(subject: str, took: float) -> Check:
    text = f"confirms in {took * 1000:.1f} ms"
    if took > SLOW_SECONDS:
        return remark(subject, text, "put RabbitMQ nearer to this server, or look at its load and disk")
    return ok(subject, text)
