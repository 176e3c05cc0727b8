"""The counts of connections that processes of one address show each other."""

from __future__ import annotations

import os

from atoll.gateway.shares import Shares


def test_who_has_clearly_more_than_another_is_ahead() -> None:
    parent = Shares.create()
    child = Shares(os.dup(parent.descriptor))
    assert not child.ahead(1), "alone"
    parent.note(1, 3)
    child.note(2, 2)
    assert not parent.ahead(1), "one more is no reason to wait"
    parent.note(1, 4)
    assert child.ahead(1)
    assert not child.ahead(2)
    parent.vacate(2)
    assert not child.ahead(1), "nobody waits for a place that is empty"
    child.close()
    child.close()
    parent.close()
