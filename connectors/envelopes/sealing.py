"""Makes and checks envelopes outside a pull: for departments that seal, and stewards who look why one was refused."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectors.envelopes.document import ENVELOPE, MOST_BYTES, EnvelopeFault, digest_of, read_envelope, sign
from connectors.envelopes.judge import Expected, Proof, Tally
from connectors.kinds.files.connector import FolderConnector
from connectors.registry import open_connector
from connectors.source import Source, StreamSpec
from hub.errors import HubError, StreamMissing
from hub.findings import Finding
from hub.records import Enveloped, Record

_BLOCK = 1 << 20


class NotSealed(HubError):
    """A payload cannot be sealed as asked; the message says what is missing."""

    exit_status = 2


def load_private(file: Path) -> Ed25519PrivateKey:
    """Read a private key in PEM, as `openssl genpkey -algorithm ed25519` writes it.

    Raises:
        NotSealed: it is none, of another algorithm, or open to others.
    """
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise NotSealed(f"{file}: the private key is open to others. Run `chmod 600 {file}`.")
        key = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NotSealed(f"{file}: no private key in PEM without a password ({type(error).__name__}).") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NotSealed(f"{file}: a key of another algorithm; known: ed25519.")
    return key


def seal(
    payload: Path, said: Mapping[str, Any], *, key: tuple[str, Ed25519PrivateKey] | None = None
) -> Record:  # fmt: skip
    """Write the envelope of a file beside it, under a passing name first, and return it.

    `said` has source, stream, number, records, and what else the envelope is to say.

    Raises:
        NotSealed: it would be no envelope; every fault is told.
    """
    with payload.open("rb") as handle:
        digest = digest_of(iter(lambda: handle.read(_BLOCK), b""))
    envelope = {"envelope": 1, **said, "digest": digest, "written": datetime.now(UTC).isoformat(timespec="seconds")}
    data = sign(envelope, *key) if key else json.dumps(envelope, ensure_ascii=False).encode() + b"\n"
    try:
        made = read_envelope(data)
    except EnvelopeFault as error:
        raise NotSealed(f"{payload}: this would be no envelope: {error}.") from None
    target = payload.with_name(f"{payload.name}{ENVELOPE}")
    passing = target.with_name(f".{target.name}.part")
    passing.write_bytes(data)
    passing.replace(target)
    return made.said


def count(source: Source, stream: StreamSpec, payload: Path) -> Tally:
    """Count the records of a file by reading it as a pull would.

    Raises:
        SourceTrouble: the file cannot be read as the stream declares.
    """
    tally = Tally(_expected(source, stream), counts_organs=True)
    _pass_by(source, stream, payload, tally)
    return tally


def verify(source: Source, stream: StreamSpec, payload: Path) -> Enveloped:
    """Prove a file and the envelope beside it as a pull would; the running number is the ledger's business.

    Raises:
        EnvelopeRefused: they do not belong together; all that is wrong is told.
        SourceTrouble: the file cannot be read as the stream declares.
    """
    with payload.open("rb") as handle:
        digest = digest_of(iter(lambda: handle.read(_BLOCK), b""))
    proof = Proof.of(_expected(source, stream), read_beside(payload), digest, payload.name)
    _pass_by(source, stream, payload, proof.tally)
    return proof.close(lambda data: data[:0])


def read_beside(payload: Path) -> bytes:
    """Return the bytes of the envelope beside a file, no more than one may have."""
    with payload.with_name(f"{payload.name}{ENVELOPE}").open("rb") as handle:
        return handle.read(MOST_BYTES + 1)


def _expected(source: Source, stream: StreamSpec) -> Expected:
    expected = Expected.of(source, stream)
    if expected is None:
        raise StreamMissing(
            source=source.code, stream=stream.name, got="the stream declares no envelope",
            hint="Add an `envelope` block to source.yml; docs/integrate/envelope.md.",
        )  # fmt: skip
    return expected


def _pass_by(source: Source, stream: StreamSpec, payload: Path, tally: Tally) -> None:
    """Let all records of a file pass by a tally."""
    connector = open_connector(source, lambda _: str(payload.absolute().parent), keyed_hash=lambda data: data[:16])
    if not isinstance(connector, FolderConnector):
        raise NotSealed(f"source {source.code} is of kind {source.kind}: its deliveries are no files to be counted.")
    with connector.folder(stream) as folder:
        found = folder.look(payload.name, None)
        if found is None:
            raise NotSealed(f"{payload}: it is not there, or is being written to.")
        if found.refusal is not None:
            raise found.refusal
        with folder.held(found) as held:
            for _ in tally.watch(connector.reader(stream, folder, held).rows()):
                pass


def faults_of(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    """Return what is wrong, for people and programs."""
    return [{"rule": one.rule, **{name: str(said) for name, said in one.detail.items()}} for one in findings]
