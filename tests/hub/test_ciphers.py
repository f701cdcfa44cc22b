"""Values are sealed with the cipher that the deployment chose; what was sealed with another opens all the same."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import Camellia
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from hub.protect import AES_256_GCM, SM4_GCM, CipherUnavailable, KeyRing, Protector, SealCipher, ciphers, new_ring
from hub.protect import protector as protecting
from hub.protect.ciphers import CIPHERS, BlockGcm, UnknownCipher, cipher_named
from hub.protect.protector import Unsealable, key_number
from hub.settings import SettingError, Settings

RING = new_ring()
PROTECTORS = {one.name: Protector(RING, cipher=one) for one in CIPHERS}
NAMES = st.sampled_from(sorted(PROTECTORS))
FIXED = KeyRing.from_json(
    json.dumps(
        {
            "format": 1,
            "content": base64.b64encode(b"c" * 32).decode(),
            "roots": [{"number": 1, "key": base64.b64encode(b"r" * 32).decode(), "made": ""}],
        }
    ),
    "a test",
)
OLD = base64.b64decode("AgABuEc20wIa8nGVuy2t96xrYe2qEHRUvz/K3MwEoZTIHgrP/Q==")
"""What the hub sealed under `FIXED` before it knew another cipher than AES-256-GCM."""


# --- the cipher is the standard's ---


def test_sm4_is_that_of_the_standard() -> None:
    """GB/T 32907-2016, annex A, example 1."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    made = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
    assert (made.update(key) + made.finalize()).hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_gcm_is_that_of_rfc_8998() -> None:
    """RFC 8998, appendix A.1."""
    aead = SM4_GCM.under(bytes.fromhex("0123456789abcdeffedcba9876543210"))
    nonce = bytes.fromhex("00001234567800000000abcd")
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    clear = b"".join(bytes((byte,)) * 8 for byte in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    sealed = bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert aead.encrypt(nonce, clear, bound) == sealed
    assert aead.decrypt(nonce, sealed, bound) == clear
    with pytest.raises(InvalidTag):
        aead.decrypt(nonce, sealed, bound[:-1])


@given(st.binary(max_size=100), st.binary(max_size=100), st.binary(min_size=32, max_size=32))
def test_a_block_cipher_in_gcm_is_the_ready_aead(data: bytes, bound: bytes, key: bytes) -> None:
    ours, theirs, nonce = BlockGcm(algorithms.AES256(key)), AES_256_GCM.under(key), os.urandom(12)
    assert ours.encrypt(nonce, data, bound) == theirs.encrypt(nonce, data, bound)
    assert ours.decrypt(nonce, theirs.encrypt(nonce, data, bound), bound) == data


# --- sealed with either, opened by both ---


@given(st.lists(st.binary(max_size=300), max_size=20), NAMES, NAMES)
def test_what_is_sealed_names_its_cipher_and_opens_under_any_setting(data: list[bytes], one: str, other: str) -> None:
    sealed = [*PROTECTORS[one].seal_many(data, context="test"), PROTECTORS[one].seal(b"alone", context="test")]
    assert {value[0] for value in sealed} == {cipher_named(one).mark}
    assert {key_number(value) for value in sealed} == {1}
    assert len({value[3:15] for value in sealed}) == len(sealed), "no nonce comes twice"
    assert PROTECTORS[other].unseal_many(sealed, context="test") == [*data, b"alone"]


def test_old_values_open_and_say_aes() -> None:
    for cipher in CIPHERS:
        assert Protector(FIXED, cipher=cipher).unseal(OLD, context="case_party").decode() == "张三"
    assert OLD[0] == AES_256_GCM.mark


def test_a_person_is_protected_alike_but_for_the_cipher() -> None:
    one, other = (
        PROTECTORS[name].protect(context="p", name="张三", number="33010619800101123X") for name in sorted(PROTECTORS)
    )
    assert (one.name_hash, one.number_hash, one.name_mask) == (other.name_hash, other.number_hash, other.name_mask)
    assert one.sealed[0] != other.sealed[0]
    assert PROTECTORS["aes-256-gcm"].reveal(other.sealed, context="p")["name"] == "张三"


def test_no_key_serves_two_ciphers() -> None:
    keys = [RING.derive(1, one.purpose("seal"), one.key_bytes) for one in CIPHERS]
    assert [len(key) for key in keys] == [32, 16]
    assert keys[0][:16] != keys[1]


# --- what was touched does not open ---


@given(st.binary(max_size=60), NAMES, st.data())
def test_a_changed_value_never_opens(data: bytes, name: str, draw: st.DataObject) -> None:
    sealed = bytearray(PROTECTORS[name].seal(data, context="test"))
    place = draw.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= draw.draw(st.integers(1, 255))
    with pytest.raises(Unsealable):
        PROTECTORS[name].unseal(bytes(sealed), context="test")


@given(st.binary(max_size=60), NAMES, st.data())
def test_a_cut_value_never_opens(data: bytes, name: str, draw: st.DataObject) -> None:
    sealed = PROTECTORS[name].seal(data, context="test")
    with pytest.raises(Unsealable):
        PROTECTORS[name].unseal(sealed[: draw.draw(st.integers(0, len(sealed) - 1))], context="test")


@pytest.mark.parametrize("name", sorted(PROTECTORS))
def test_a_value_opens_only_in_its_place_under_its_key_and_cipher(name: str) -> None:
    sealed = PROTECTORS[name].seal(b"secret", context="core.case_party")
    with pytest.raises(Unsealable, match="another place"):
        PROTECTORS[name].unseal(sealed, context="core.decision")
    with pytest.raises(Unsealable, match="changed"):
        Protector(new_ring(), cipher=cipher_named(name)).unseal(sealed, context="core.case_party")
    other = next(one for one in CIPHERS if one.name != name)
    with pytest.raises(Unsealable, match="changed"):
        PROTECTORS[name].unseal(bytes((other.mark,)) + sealed[1:], context="core.case_party")


def test_a_mark_that_no_cipher_bears_is_told_with_those_that_are_known() -> None:
    sealed = PROTECTORS["sm4-gcm"].seal(b"secret", context="c")
    with pytest.raises(Unsealable, match=r"0x07.*0x02 \(aes-256-gcm\), 0x03 \(sm4-gcm\)"):
        PROTECTORS["sm4-gcm"].unseal(b"\x07" + sealed[1:], context="c")


def test_a_retired_keys_values_are_gone_whatever_the_cipher() -> None:
    ring = RING.rotated()
    for cipher in CIPHERS:
        sealed = Protector(RING, cipher=cipher).seal(b"secret", context="c")
        assert Protector(ring).unseal(sealed, context="c") == b"secret"
        with pytest.raises(Unsealable, match="under key 1, which is not here; live keys: 2"):
            Protector(ring.without(1), cipher=cipher).unseal(sealed, context="c")


# --- the setting ---


def test_the_setting_names_the_cipher(tmp_path: Path) -> None:
    by_default = Protector.from_settings(Settings(home=tmp_path))
    chosen = Protector.from_settings(Settings(home=tmp_path, cipher="sm4-gcm"))
    assert (by_default.cipher, chosen.cipher) == (AES_256_GCM, SM4_GCM)
    assert by_default.unseal(chosen.seal(b"x", context="c"), context="c") == b"x"
    assert chosen.unseal(by_default.seal(b"x", context="c"), context="c") == b"x"


def test_another_word_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_CIPHER", "sm4-cbc")
    with pytest.raises(SettingError, match=r"HUB_CIPHER: .*'aes-256-gcm' or 'sm4-gcm'"):
        Settings.load()
    with pytest.raises(UnknownCipher, match="'sm4-cbc'; this hub knows aes-256-gcm, sm4-gcm"):
        cipher_named("sm4-cbc")


def test_a_machine_without_the_cipher_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Camellia stands for SM4: OpenSSL has it, but not in GCM, and says so as it does of a cipher left out."""
    lacking = SealCipher("camellia-gcm", 0x7F, 16, lambda key: BlockGcm(Camellia(key)), " camellia")
    monkeypatch.setattr(protecting, "CIPHERS", (AES_256_GCM, lacking))
    monkeypatch.setitem(ciphers.MARKS, lacking.mark, lacking)
    with pytest.raises(CipherUnavailable, match=r"OpenSSL \d.* has no camellia-gcm"):
        Protector(RING, cipher=lacking)
    others = Protector(RING)
    assert others.unseal(others.seal(b"x", context="c"), context="c") == b"x"
    with pytest.raises(CipherUnavailable, match="camellia-gcm"):  # and not as if its key had been destroyed
        others.unseal(bytes((lacking.mark,)) + others.seal(b"x", context="c")[1:], context="c")
