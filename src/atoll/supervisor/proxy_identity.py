"""Proofs on a connection between access proxy and environment: each shows the other one who it is.

The proxy sends a random nonce to `GET /api/__identity?nonce=<nonce>`; the environment answers with its name,
its instance, a challenge of its own, and a signature over all four. A process that has taken over the address
of another one cannot answer, so it never gets a request that was meant for the other.

The Supervisor signs the challenge, and the proxy sends that signature as `X-Atoll-Proof` with each request on
the connection. The environment checks it once; after that, being the same is enough. What such a request says
about where it came from is believed. The challenge is good on the connection it was given on only, and for
one try, so that a proof cannot be used again elsewhere; and a request without the proof is not believed even
on that connection, as a balancer in between may send other people's requests on it.
"""

from __future__ import annotations

import base64
import json
import secrets
from abc import ABC, abstractmethod

from atoll.errors import AtollError, EnvironmentUnavailable
from atoll.supervisor.identity import PublicKey, identity_proof, proxy_proof
from atoll.supervisor.routing import Target

IDENTITY_PATH = "/api/__identity"
NONCE_LIMIT = 200
PROOF_HEADER = b"x-atoll-proof"
PROOF_LIMIT = 200
PROXY_PURPOSE = "proxy"


class Signer(ABC):
    """Signs in the name of this process's environment, and knows whom it takes instructions from."""

    environment: str
    instance: str

    @abstractmethod
    def sign(self, data: bytes) -> bytes:
        """The Ed25519 signature (64 bytes) of `data` with the environment's key."""

    @abstractmethod
    def believes(self, data: bytes, proof: bytes) -> bool:
        """Whether the trusted Supervisor made `proof` of `data` (see `Prover.prove`)."""


class Prover(ABC):
    """Signs in the name of this process's Supervisor."""

    @abstractmethod
    def prove(self, data: bytes) -> bytes:
        """The signature of `data` that environments believe."""


class Hop:
    """What one connection to an environment has proven. Made when a challenge is asked for on it."""

    __slots__ = ("_challenge", "_proof", "_signer")

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._challenge = self._proof = b""

    def challenge(self) -> str:
        """A new challenge; the one before and what was proven with it count no more."""
        text = new_nonce()
        self._challenge, self._proof = text.encode(), b""
        return text

    def proven(self, proof: bytes | None) -> bool:
        """Whether a request with that proof comes from the Supervisor's access proxy."""
        if not proof:
            return False
        if self._proof:
            return proof == self._proof
        challenge, self._challenge = self._challenge, b""  # one try: checking costs more than trying
        if not challenge or len(proof) > PROOF_LIMIT:
            return False
        try:
            signature = base64.b64decode(proof, validate=True)
        except ValueError:
            return False
        signer = self._signer
        if not signer.believes(
            proxy_proof(challenge.decode(), signer.environment, signer.instance), signature
        ):
            return False
        self._proof = proof
        return True


def new_nonce() -> str:
    """A nonce that nobody can guess and that is used once."""
    return secrets.token_urlsafe(24)


def identity_answer(signer: Signer, nonce: str, challenge: str) -> dict[str, str]:
    """The answer to a nonce: environment, instance, challenge, signature (base64)."""
    signature = signer.sign(identity_proof(nonce, signer.environment, signer.instance, challenge))
    return {
        "environment": signer.environment,
        "instance": signer.instance,
        "challenge": challenge,
        "signature": base64.b64encode(signature).decode("ascii"),
    }


def check_identity(target: Target, nonce: str, answer: bytes) -> bytes:
    """Raises EnvironmentUnavailable unless `answer` proves that `target` is who it should be.

    The instance may be another one of the same environment: an address can stand for several. Gives what the
    Supervisor has to sign to prove itself in turn.
    """
    try:
        fields = json.loads(answer)
        environment, instance = str(fields["environment"]), str(fields["instance"])
        challenge = str(fields["challenge"])
        signature = base64.b64decode(fields["signature"], validate=True)
        if environment != target.environment:
            raise ValueError(f"it says it is {environment!r}")
        if not PublicKey(target.identity.public_key).verify(
            identity_proof(nonce, environment, instance, challenge), signature
        ):
            raise ValueError("the signature is not by the announced key")
    except (ValueError, KeyError, TypeError, AtollError) as error:
        raise EnvironmentUnavailable(
            f"The address of environment {target.environment} is answered by something else. "
            "Check ENVIRONMENT_PROXY_URL of its worker, and that the worker runs.",
            detail=f"{target.address}: {error!r}",
        ) from error
    return proxy_proof(challenge, environment, instance)


def proof_line(prover: Prover, data: bytes) -> bytes:
    """The header line that proves the Supervisor on a connection, with CRLF in front."""
    return b"\r\n" + PROOF_HEADER + b": " + base64.b64encode(prover.prove(data))
