"""The envelope beside a delivered file: `NAME.envelope.json`, which is also the sign that the file is whole."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.envelopes import ENVELOPE, MOST_BYTES, Expected, Proof, digest_of
from connectors.envelopes.document import fault
from connectors.envelopes.judge import expected_refusal
from connectors.kinds.files.folder import Delivered, Folder
from hub.errors import RefuseUnit

_BLOCK = 1 << 20


def read_proof(folder: Folder, found: Delivered, expected: Expected | None) -> Proof | None:
    """Read the envelope of a file in hand and prove it against the file's bytes; None where it has none.

    Raises:
        EnvelopeRefused: the envelope cannot be read, is another stream's, or speaks about other bytes.
    """
    if expected is None:
        return None
    try:
        data = _read(folder, f"{found.name}{ENVELOPE}")
    except FileNotFoundError:
        return None
    except RefuseUnit as refusal:  # it is the file that is refused, by its own name
        raise expected_refusal(expected, [fault(refusal.got, refusal.known)], found.name, None) from None
    with folder.open(found) as handle:
        digest = digest_of(iter(lambda: handle.read(_BLOCK), b""))
    return Proof.of(expected, data, digest, found.name)


def _read(folder: Folder, name: str) -> bytes:
    seen = folder.place.look(name, folder.where(name))
    if seen.size > MOST_BYTES:
        raise folder.where(name).hostile(f"the envelope has {seen.size:,} bytes", known=f"at most {MOST_BYTES:,}")
    with folder.place.hold(name, seen, MOST_BYTES, folder.where(name)) as held:
        beside = Delivered(name, held.seen, "", "new", copy=held.copy)
        with folder.open(beside) as handle:
            return handle.read(MOST_BYTES + 1)


def waiting(folder: Folder, names: list[str]) -> Iterator[str]:
    """Yield the files that wait for their envelope."""
    if folder.stream.envelope is not None and folder.stream.envelope.required:
        yield from (name for name in names if not folder.place.exists(f"{name}{ENVELOPE}"))
