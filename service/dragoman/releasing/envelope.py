"""DSSE: a payload with its type, and signatures over both (the Dead Simple Signing Envelope, protocol 1.0)."""

import base64
import binascii
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dragoman.domain.errors import EvidenceRefusedError
from dragoman.domain.validation import first_problem
from dragoman.releasing.keys import Signer, Trusted

IN_TOTO: Final = "application/vnd.in-toto+json"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Signature(_Value):
    """A signature in base64; ``keyid`` is a hint, and is not trusted."""

    keyid: str = ""
    sig: str


class Envelope(_Value):
    """A payload in base64, what it is, and who signed it."""

    payloadType: str  # noqa: N815 - the protocol's name
    payload: str
    signatures: tuple[Signature, ...] = Field(min_length=1)


def seal(payload: bytes, kind: str, signer: Signer) -> Envelope:
    """Return a payload, signed."""
    signature = Signature(keyid=signer.id, sig=base64.b64encode(signer.sign(encoded(kind, payload))).decode())
    return Envelope(payloadType=kind, payload=base64.b64encode(payload).decode(), signatures=(signature,))


def opened(data: bytes, trusted: Trusted) -> tuple[bytes, str]:
    """Return the payload of an in-toto envelope, and the id of the key that signed it.

    Raises:
        EvidenceRefusedError: if it is no such envelope, or none of its signatures is by a key that is trusted.
    """
    try:
        envelope = Envelope.model_validate_json(data)
        payload = base64.b64decode(envelope.payload, validate=True)
        signatures = [base64.b64decode(each.sig, validate=True) for each in envelope.signatures]
    except (ValidationError, binascii.Error) as error:
        told = first_problem(error) if isinstance(error, ValidationError) else f"it is no base64 ({error})"
        raise EvidenceRefusedError(
            f"The evidence cannot be read: {told}. It may have been cut off; fetch it again, or sign the report anew."
        ) from error
    if envelope.payloadType != IN_TOTO:
        raise EvidenceRefusedError(
            f"The evidence is of the type '{envelope.payloadType}', not '{IN_TOTO}'; give the file that "
            "'dragoman gate --sign' wrote."
        )
    message = encoded(envelope.payloadType, payload)
    for signature in signatures:
        if signer := trusted.signer_of(message, signature):
            return payload, signer
    raise EvidenceRefusedError(
        "No key that is trusted signed this evidence, or it was changed after it was signed. Trusted are "
        f"{', '.join(each[:12] for each in trusted.ids)}; it names {', '.join(_hints(envelope)) or 'none'}. "
        "Sign the report anew, or add the key of who signed it to DRAGOMAN_RELEASE_TRUSTED."
    )


def encoded(kind: str, payload: bytes) -> bytes:
    """Return what is signed: the pre-authentication encoding of a type and a payload."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)


def _hints(envelope: Envelope) -> list[str]:
    return [each.keyid[:12] for each in envelope.signatures if each.keyid.isalnum()]
