"""What instances of one app share: a guesser who goes from one to the next gets no more tries."""

from __future__ import annotations

import pytest

from atoll.testing.client import Account, CallFailed
from atoll.testing.deployment import Deployment

from .conftest import Say

pytestmark = pytest.mark.anyio


async def test_guesses_are_counted_over_all_instances(deployment: Deployment, say: Say) -> None:
    await deployment.client.create_app("guessed", ["env_a", "env_b"])
    instances = [deployment.client.other("guessed", environment=name) for name in ("env_a", "env_b")]
    refused = []
    for number in range(12):
        with pytest.raises(CallFailed) as caught:
            await instances[number % 2].sign_in(Account(password="not this one"))
        refused.append(caught.value.status)
    for instance in instances:
        await instance.http.aclose()
    say(f"12 wrong passwords, sent to two instances in turn: {refused}")
    assert refused == [401] * 10 + [429] * 2
