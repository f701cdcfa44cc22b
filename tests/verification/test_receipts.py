"""What an answer proves, checked without the hub; keys that turn; nothing that was signed can be changed."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws

from hub.protect.keys import KeyRing, new_ring
from sharedrepo.keyring import signing
from sharedrepo.keyring.signing import Ed25519Signer, Signer
from verification import receipts
from verification.receipts import BadReceipt, Digest

RING = new_ring()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ascii_keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ascii_keys, inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_documents_are_written_in_the_canonical_form_of_rfc_8785(value: Any) -> None:
    assert receipts.canonical(value) == rfc8785.dumps(value)


@given(st.binary(max_size=300), st.sampled_from(["hub-receipt+jws", "at+jwt", "x"]))
def test_a_signature_is_that_of_the_standard_library_of_jose(payload: bytes, kind: str) -> None:
    signer = Ed25519Signer.of(RING)
    header = {"alg": "Ed25519", "kid": signer.kid, "typ": kind}
    registry = jws.JWSRegistry(algorithms=["Ed25519"])
    assert signer.sign(payload, kind) == jws.serialize_compact(header, payload, signer.key, registry=registry)


def document(signer: Signer, digest: Digest = "sha-256") -> dict[str, Any]:
    said = {
        "id": "b7c9", "asked": {"case": "A-1", "name": "王晓岚"}, "answered_at": "2026-05-01T08:00:00Z",
        "answer": {"outcome": "match", "complete_through": "2026-05-01T07:00:00Z"}, "state": "answered",
    }  # fmt: skip
    made, _ = receipts.receipted(said, organ="ORGAN", signer=signer, digest=digest)
    return made


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    return new_ring()


@pytest.mark.parametrize("digest", ["sha-256", "sm3"])
def test_a_receipt_proves_question_answer_and_moment(ring: KeyRing, digest: Digest) -> None:
    signer = Ed25519Signer.of(ring)
    made = json.loads(json.dumps(document(signer, digest)))
    claims = receipts.verify(made, {"keys": [signer.public]})
    assert (claims["check"], claims["asker"], claims["digest"]) == ("b7c9", "ORGAN", digest)
    assert "王晓岚" not in json.dumps(claims, ensure_ascii=False)
    assert "match" not in json.dumps(claims)


@pytest.mark.parametrize(
    "path",
    ["id", "answered_at", "asked.case", "answer.outcome", "answer.complete_through", "receipt.salt", "receipt.jws"],
)
def test_whatever_is_changed_is_found(ring: KeyRing, path: str) -> None:
    signer = Ed25519Signer.of(ring)
    made = copy.deepcopy(document(signer))
    *way, last = path.split(".")
    inner = made
    for part in way:
        inner = inner[part]
    said = inner[last]
    inner[last] = said[:-6] + ("AAAAAA" if not said.endswith("AAAAAA") else "BBBBBB")
    with pytest.raises(BadReceipt):
        receipts.verify(made, {"keys": [signer.public]})


def test_a_key_that_turned_still_checks_what_it_signed(ring: KeyRing) -> None:
    old, new = Ed25519Signer.of(ring), Ed25519Signer.of(ring.rotated())
    assert (old.kid, new.kid) == ("check-1", "check-2")
    both = {"keys": [old.public, new.public]}
    receipts.verify(document(old), both)
    receipts.verify(document(new), both)
    with pytest.raises(BadReceipt, match=r"none of the published ones \(check-2\)"):
        receipts.verify(document(old), {"keys": [new.public]})


def test_a_key_of_the_same_name_is_not_enough(ring: KeyRing) -> None:
    forger = Ed25519Signer.of(new_ring())
    with pytest.raises(BadReceipt, match="not that of key"):
        receipts.verify(document(forger), {"keys": [Ed25519Signer.of(ring).public]})


class Another:
    """A signing machine of a deployment, with an algorithm that the hub does not know."""

    algorithm, kid, public = "SM2", "machine-1", {"kty": "EC", "kid": "machine-1", "alg": "SM2"}

    def sign(self, payload: bytes, kind: str) -> str:
        head = json.dumps({"alg": self.algorithm, "kid": self.kid, "typ": kind}).encode()
        parts = (head, payload, hashlib.new("sm3", head + payload).digest())
        return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)


def test_another_signature_goes_behind_the_interface_and_is_named_in_the_receipt() -> None:
    made = document(Another(), "sm3")
    head, payload, _ = made["receipt"]["jws"].split(".")
    read = [json.loads(base64.urlsafe_b64decode(one + "=" * (-len(one) % 4))) for one in (head, payload)]
    assert (read[0]["alg"], read[0]["kid"], read[1]["digest"]) == ("SM2", "machine-1", "sm3")
    with pytest.raises(BadReceipt, match="machine-1"):
        receipts.verify(made, {"keys": [Ed25519Signer.of(RING).public]})


def test_a_signature_of_another_kind_is_no_receipt(ring: KeyRing) -> None:
    signer = Ed25519Signer.of(ring)
    made = document(signer)
    payload = signing.opened(made["receipt"]["jws"], {"keys": [signer.public]}, receipts.KIND)
    made["receipt"]["jws"] = signer.sign(receipts.canonical(payload), "at+jwt")
    with pytest.raises(BadReceipt, match="another kind"):
        receipts.verify(made, {"keys": [signer.public]})


@pytest.mark.parametrize(
    "made",
    [
        {}, {"receipt": None}, {"receipt": []}, {"receipt": {"jws": "a.b.c", "salt": "é"}},
        {"receipt": {"jws": "x", "salt": "AAAA"}}, {"receipt": {"jws": None, "salt": None}},
        {"id": 1, "asked": 1, "answer": 1, "answered_at": 1, "receipt": {"jws": "a.b.c", "salt": "A" * 22}},
        {"id": 1, "asked": 1, "answer": {}, "answered_at": 1, "receipt": {"jws": "é", "salt": "A" * 22}},
        {"id": 1, "asked": 1, "answer": {}, "answered_at": 1, "receipt": {"jws": "eyJhbGciOiJub25lIn0.e30.",
                                                                          "salt": "A" * 22}},
    ],
)  # fmt: skip
def test_what_is_no_receipt_is_said_to_be_none(ring: KeyRing, made: dict[str, Any]) -> None:
    with pytest.raises(BadReceipt):
        receipts.verify(made, {"keys": [Ed25519Signer.of(ring).public]})


def test_an_unsigned_token_is_refused(ring: KeyRing) -> None:
    signer = Ed25519Signer.of(ring)
    made = document(signer)
    head = receipts._text(json.dumps({"alg": "none", "kid": signer.kid, "typ": receipts.KIND}).encode())
    made["receipt"]["jws"] = f"{head}.{made['receipt']['jws'].split('.')[1]}."
    with pytest.raises(BadReceipt):
        receipts.verify(made, {"keys": [signer.public]})
