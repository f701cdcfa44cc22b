"""The envelope by itself: what is read, what is refused, and that a department can make one without our code."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from connectors.envelopes import (
    EnvelopeFault,
    EnvelopePolicy,
    EnvelopeRefused,
    Expected,
    Proof,
    digest_of,
    read_envelope,
)
from connectors.envelopes.document import canonical, sign
from connectors.loading import load_sources
from connectors.policy import PublicKey, load_public
from hub.documents import SCHEMAS
from hub.errors import ConfigError
from hub.records import BrokenRecord, Record
from tests.envelopes import Office, public_of, seal
from validation.explain import Explainer

EXAMPLES = SCHEMAS / "exchange/envelope/v1/examples"
PAYLOAD = b"a,b\n1,2\n3,4\n"


def expected(**policy: Any) -> Expected:
    return Expected("labour", "PRE_APASINFO", EnvelopePolicy(**policy), "11330000002482285J")


def written(envelope: dict[str, Any]) -> bytes:
    return json.dumps(envelope).encode()


@pytest.mark.parametrize("file", sorted((EXAMPLES / "valid").glob("*.json")), ids=lambda file: file.stem)
def test_valid_examples_are_read(file: Path) -> None:
    said = read_envelope(file.read_bytes())
    assert said.number in {17, 18}
    assert (said.organs is None) == ("organs" not in said.said)


@pytest.mark.parametrize(
    "file",
    sorted(one for one in (EXAMPLES / "invalid").glob("*.json") if ".raises" not in one.name),
    ids=lambda file: file.stem,
)
def test_invalid_examples_raise_what_they_say(file: Path) -> None:
    raises = json.loads(file.with_suffix(".raises.json").read_text())
    with pytest.raises(EnvelopeFault) as caught:
        read_envelope(file.read_bytes())
    assert sorted({one.rule for one in caught.value.findings}) == raises


@pytest.mark.parametrize(
    "file", sorted((SCHEMAS / "exchange/receipt/v1/examples/valid").glob("*.json")), ids=lambda file: file.stem
)
def test_examples_of_receipts_have_the_declared_shape(file: Path) -> None:
    schema = json.loads((SCHEMAS / "exchange/receipt/v1/schema.json").read_text(encoding="utf-8"))
    assert Explainer(schema).is_valid(json.loads(file.read_text(encoding="utf-8")))


def test_every_fault_of_an_envelope_is_told_at_once() -> None:
    with pytest.raises(EnvelopeFault) as caught:
        read_envelope(written(seal(PAYLOAD, number=0, records="2", digest="md5:1", colour="red", written=None)))
    told = " | ".join(one.detail["got"] for one in caught.value.findings)
    for part in ("/number", "/records", "/digest", "unknown 'colour'", "written is missing"):
        assert part in told


def test_every_fault_of_a_delivery_is_told_at_once() -> None:
    key = PublicKey("2026-a", public_of(Ed25519PrivateKey.generate()), datetime(2026, 1, 1, tzinfo=UTC))
    envelope = seal(PAYLOAD, source="transport", stream="other", written="2199-01-01T00:00:00Z")
    with pytest.raises(EnvelopeRefused) as caught:
        Proof.of(expected(keys=(key,), signed=True), written(envelope), digest_of([b"x"]), "file.csv")
    assert [one.rule for one in caught.value.findings] == [
        "envelope_foreign", "envelope_foreign", "envelope_unreadable", "envelope_signature", "envelope_digest",
    ]  # fmt: skip
    assert caught.value.unit == "file.csv"


def test_a_digest_stands_in_no_finding() -> None:
    envelope = seal(PAYLOAD)
    with pytest.raises(EnvelopeRefused) as caught:
        Proof.of(expected(), written(envelope), digest_of([b"other"]), "file.csv")
    assert envelope["digest"][8:] not in str(caught.value)
    assert digest_of([b"other"])[8:] not in str(caught.value)


def proven(envelope: dict[str, Any], records: list[Record | BrokenRecord], organ_from: str | None = None) -> Any:
    proof = Proof.of(replace(expected(), organ_from=organ_from), written(envelope), digest_of([PAYLOAD]), "file.csv")
    list(proof.tally.watch(enumerate(records, 1)))
    return proof.close(lambda data: data[:4])


def organs(**counts: int) -> list[dict[str, Any]]:
    return [{"organ": organ, "records": count} for organ, count in counts.items()]


def test_records_are_counted_by_the_organ_that_they_name() -> None:
    records: list[Record | BrokenRecord] = [{"who": "A"}, {"who": "B"}, {"who": "A"}]
    assert proven(seal(PAYLOAD, records=3, organs=organs(A=2, B=1)), records, "who").organs == {"A": 2, "B": 1}
    nested: list[Record | BrokenRecord] = [{"at": {"who": "A"}}, {"at": {"who": 7}}]
    assert proven(seal(PAYLOAD, organs=organs(**{"A": 1, "7": 1})), nested, "/at/who").records == 2
    with pytest.raises(EnvelopeRefused, match="'A' 2 of 1, 'B' 1 of 2"):
        proven(seal(PAYLOAD, records=3, organs=organs(A=1, B=2)), records, "who")
    with pytest.raises(EnvelopeRefused, match="'B' 1 of 0"):
        proven(seal(PAYLOAD, records=3, organs=organs(A=3)), records, "who")


def test_a_record_that_cannot_be_read_may_be_any_organs() -> None:
    broken = BrokenRecord(2, "unreadable_record", "no", "x")
    assert proven(seal(PAYLOAD, organs=organs(A=1, B=1)), [{"who": "A"}, broken], "who").records == 2
    with pytest.raises(EnvelopeRefused):
        proven(seal(PAYLOAD, records=3, organs=organs(A=1, B=2)), [{"who": "A"}, {"who": "A"}, broken], "who")


_names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)


@given(stream=_names, number=st.integers(1, 2**53 - 1), records=st.integers(0, 10**9))
def test_what_a_department_signs_with_the_standard_library_is_what_we_verify(
    stream: str, number: int, records: int
) -> None:
    envelope = {
        **seal(PAYLOAD, stream=stream, number=number, records=records),
        "signature": {"algorithm": "ed25519", "key": "a"},
    }
    theirs = json.dumps(envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    envelope["signature"]["value"] = "x"  # type: ignore[index]  # it is the signature
    assert canonical(envelope) == theirs


def test_what_is_signed_is_verified_and_nothing_else() -> None:
    key = Ed25519PrivateKey.generate()
    said = expected(keys=(PublicKey("2026-a", public_of(key), datetime(2026, 1, 1, tzinfo=UTC)),), signed=True)
    envelope = seal(PAYLOAD)
    data = sign(envelope, "2026-a", key)
    assert Proof.of(said, data, digest_of([PAYLOAD]), "f").said.number == 1
    assert json.loads(data)["signature"] == seal(PAYLOAD, key=key)["signature"]
    for part, value in (("number", 2), ("records", 9), ("complete_through", "2026-03-01T00:00:00Z")):
        changed = {**json.loads(data), part: value}
        with pytest.raises(EnvelopeRefused, match="the signature is not that of key 2026-a"):
            Proof.of(said, written(changed), digest_of([PAYLOAD]), "f")


# --- the declaration ---


def declared(tmp_path: Path, envelope: dict[str, Any], **over: Any) -> Any:
    Office(tmp_path / "sources", tmp_path / "drop", envelope=envelope, **over)
    return load_sources([tmp_path / "sources"])[0].streams["PRE_APASINFO"].envelope


def test_a_declaration_is_read(tmp_path: Path) -> None:
    public = public_of(Ed25519PrivateKey.generate())
    policy = declared(tmp_path, {"first": 7, "keys": [{"name": "a", "public": public, "since": "2026-01-01"}]})
    assert (policy.required, policy.signed, policy.first, policy.receipts, policy.answers) == (
        True,
        True,
        7,
        "receipts",
        True,
    )
    assert policy.keys[0].since.isoformat() == "2026-01-01T00:00:00+08:00"


def test_every_fault_of_a_declaration_is_told_with_its_line(tmp_path: Path) -> None:
    public = public_of(Ed25519PrivateKey.generate())
    keys = [
        {"name": "a", "public": "c2hvcnQ=", "since": "2026-13-01"},
        {"name": "a", "public": public, "since": "2026-01-01", "until": "2025-01-01"},
    ]
    with pytest.raises(ConfigError) as caught:
        declared(tmp_path, {"keys": keys, "use": "perhaps"})
    told = str(caught.value)
    for part in ("is no public key", "is no day", "stands twice", "must lie after its first", "'perhaps'"):
        assert part in told
    text = (tmp_path / "sources/labour/source.yml").read_text().splitlines()
    assert all("envelope" in text[0] or fault.line > 1 for fault in caught.value.faults)


def test_a_kind_without_deliveries_has_no_envelopes(tmp_path: Path) -> None:
    office = Office(tmp_path / "sources", tmp_path / "drop")
    file = office.folder / "source.yml"
    body = yaml.safe_load(file.read_text())
    body["kind"], body["streams"]["PRE_APASINFO"]["options"] = "database", {"table": "t"}
    file.write_text(yaml.safe_dump(body))
    with pytest.raises(ConfigError, match="kind database has no envelopes"):
        load_sources([tmp_path / "sources"])


def test_a_private_key_or_another_algorithm_is_no_public_key() -> None:
    with pytest.raises(ValueError, match="no public key"):
        load_public("AAAA")
    rsa = (
        "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu"
        "KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ=="
    )
    with pytest.raises(ValueError, match="another algorithm"):
        load_public(rsa)


def test_signed_bytes_are_those_of_rfc_8785() -> None:
    assert canonical({"b": 1, "a": "é", "signature": {"key": "k", "value": "v"}}) == rfc8785.dumps(
        {"a": "é", "b": 1, "signature": {"key": "k"}}
    )


def test_two_streams_cannot_share_enveloped_files(tmp_path: Path) -> None:
    office = Office(tmp_path / "sources", tmp_path / "drop")
    file = office.folder / "source.yml"
    body = yaml.safe_load(file.read_text())
    body["streams"]["PRE_ACCEPT"] = body["streams"]["PRE_APASINFO"]
    file.write_text(yaml.safe_dump(body))
    with pytest.raises(ConfigError, match="an envelope names one stream"):
        load_sources([tmp_path / "sources"])
