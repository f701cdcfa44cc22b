"""The batch envelope: who sends which batch, how much is in it, and up to when its source has sent everything.

One form for files, messages, posts and carried media (`schemas/exchange/envelope`). What it says is proven against the
payload before a record of it is handed over; the running numbers are the pipeline's business.
"""

from connectors.envelopes.document import (
    ENVELOPE,
    MOST_BYTES,
    RECEIPT,
    Envelope,
    EnvelopeFault,
    digest_of,
    read_envelope,
)
from connectors.envelopes.judge import EnvelopeRefused, Expected, Proof, Tally
from connectors.policy import EnvelopePolicy, PublicKey

__all__ = [
    "ENVELOPE",
    "MOST_BYTES",
    "RECEIPT",
    "Envelope",
    "EnvelopeFault",
    "EnvelopePolicy",
    "EnvelopeRefused",
    "Expected",
    "Proof",
    "PublicKey",
    "Tally",
    "digest_of",
    "read_envelope",
]
