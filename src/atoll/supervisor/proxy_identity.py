"""Proof that the process at an address is the environment the route means.

The proxy sends a random nonce to `GET /api/__identity?nonce=<nonce>`; the environment answers with its name,
its instance and a signature over all three. A process that has taken over the address of another one cannot
answer, so it never gets a request that was meant for the other.
"""

from __future__ import annotations

import base64
import json
import secrets
from abc import ABC, abstractmethod

from atoll.errors import AtollError, EnvironmentUnavailable
from atoll.supervisor.identity import PublicKey, identity_proof
from atoll.supervisor.routing import Target

IDENTITY_PATH = "/api/__identity"
NONCE_LIMIT = 200


class Signer(ABC):
    """Signs in the name of this process's environment."""

    environment: str
    instance: str

    @abstractmethod
    def sign(self, data: bytes) -> bytes:
        """The Ed25519 signature (64 bytes) of `data` with the environment's key."""


def new_nonce() -> str:
    """A nonce that nobody can guess and that is used once."""
    return secrets.token_urlsafe(24)


def identity_answer(signer: Signer, nonce: str) -> dict[str, str]:
    """The answer to a nonce: environment, instance, signature (base64)."""
    signature = signer.sign(identity_proof(nonce, signer.environment, signer.instance))
    return {
        "environment": signer.environment,
        "instance": signer.instance,
        "signature": base64.b64encode(signature).decode("ascii"),
    }


def check_identity(target: Target, nonce: str, answer: bytes) -> None:
    """Raises EnvironmentUnavailable unless `answer` proves that `target` is who it should be.

    The instance may be another one of the same environment: an address can stand for several.
    """
    try:
        fields = json.loads(answer)
        environment, instance = str(fields["environment"]), str(fields["instance"])
        signature = base64.b64decode(fields["signature"], validate=True)
        if environment != target.environment:
            raise ValueError(f"it says it is {environment!r}")
        if not PublicKey(target.identity.public_key).verify(
            identity_proof(nonce, environment, instance), signature
        ):
            raise ValueError("the signature is not by the announced key")
    except (ValueError, KeyError, TypeError, AtollError) as error:
        raise EnvironmentUnavailable(
            f"The address of environment {target.environment} is answered by something else. "
            "Check ENVIRONMENT_PROXY_URL of its worker, and that the worker runs.",
            detail=f"{target.address}: {error!r}",
        ) from error
