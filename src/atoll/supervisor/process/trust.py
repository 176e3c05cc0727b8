"""Whom an environment believes: the Supervisor whose key it met first."""

from __future__ import annotations

from pathlib import Path

from atoll.errors import SupervisorKeyChanged
from atoll.supervisor.identity import Pin
from atoll.supervisor.proxy_identity import PROXY_PURPOSE
from atoll.supervisor.sealing import Opened, Sealer


class Trust:
    """Opens what is addressed to an environment, and tells its Supervisor from others.

    Args:
        sealer: with the environment's key pair.
        file: where the Supervisor's key is kept; None believes whoever the sealer lets through (a single
            server, whose Supervisor is in the same process).
    """

    def __init__(self, environment: str, sealer: Sealer, file: Path | None) -> None:
        self._environment, self._sealer = environment, sealer
        self._pin = Pin(file) if file is not None else None

    def open(self, purpose: str, data: bytes) -> Opened:
        """The content of a message, if the trusted Supervisor made it.

        Raises MessageRefused, SupervisorKeyChanged.
        """
        opened = self._sealer.unwrap(purpose, data)
        sender = opened.header.sender
        if opened.header.scheme == "pair" and self._pin is not None and not self._pin.trusts(sender):
            raise SupervisorKeyChanged(
                f"The environment {self._environment!r} trusts another Supervisor than the one that writes"
                f" now. If the Supervisor was set up anew on purpose, remove {self._pin.file} and start the"
                " environment again."
            )
        return opened

    def believes(self, data: bytes, proof: bytes) -> bool:
        """Whether the trusted Supervisor made the proof, for the access proxy.

        One that gave no instruction yet, in an environment without apps, proves nothing.
        """
        sender = self._pin.key if self._pin is not None else None
        if sender is None and self._sealer.scheme == "pair":
            return False
        return self._sealer.attests(sender or "", PROXY_PURPOSE, data, proof)
