"""The envelope of a post: proven against its body before anything is kept; what is wrong is told at once."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from connectors.envelopes.document import digest_of
from connectors.envelopes.judge import EnvelopeRefused, Expected, Proof
from connectors.seam import KeyedHash
from connectors.source import Source, StreamSpec
from hub.findings import RULES, Finding
from hub.records import BrokenRecord, Enveloped, Record
from hub.refusals import Contradicted, Malformed


def proven(
    text: str | None, source: Source, stream: StreamSpec, body: bytes, held: Iterable[Record | BrokenRecord],
    keyed_hash: KeyedHash,
) -> Enveloped | None:  # fmt: skip
    """Return what the envelope of a post says, once all of it is proven; None where it has none and needs none.

    `text` is the envelope in Base64, as the header bears it.

    Raises:
        Malformed: there is none where one is needed, or one where none is read, or it is no Base64.
        Contradicted: the body is not the one that it speaks about, or the envelope cannot be trusted.
    """
    expected = Expected.of(source, stream)
    if text is None:
        if expected is not None and expected.policy.required:
            raise Malformed("this stream takes posts with an envelope only", hint="Send it in the header Envelope.")
        return None
    if expected is None:
        raise Malformed("this stream declares no envelope", hint="Leave the header Envelope out.")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("the header Envelope is no Base64", hint="Write the envelope's bytes in Base64.") from None
    try:
        proof = Proof.of(expected, data, digest_of([body]), "post")
        for one in held:
            proof.tally.add(one)
        return proof.close(keyed_hash)
    except EnvelopeRefused as refused:
        told = "; ".join(map(_sentence, refused.findings))
        hint = " ".join(dict.fromkeys(RULES[one.rule].hint for one in refused.findings))
        raise Contradicted(f"the envelope and the body do not belong together: {told}", hint=hint) from None


def _sentence(finding: Finding) -> str:
    known = f" (known: {finding.detail['known']})" if finding.detail.get("known") else ""
    return f"{finding.rule}: {finding.detail.get('got', '')}{known}"
