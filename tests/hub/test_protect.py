"""Personal values: found by hash, opened only by their keys in their place, shown only masked."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.protect import KeyRing, Protector, load_ring, new_ring, normalize, store_ring
from hub.protect.keys import KeyTrouble
from hub.protect.protector import Unsealable, key_number
from hub.settings import Settings

RING = new_ring()
PROTECTOR = Protector(RING)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)
    return Settings.load(home=tmp_path / "home")


# --- hashes ---


@given(st.lists(st.binary(max_size=200)))
def test_content_hashes_are_those_one_by_one(data: list[bytes]) -> None:
    assert PROTECTOR.content_hashes(data) == [PROTECTOR.content_hash(one) for one in data]
    hasher = PROTECTOR.content_hasher()
    for one in data:
        hasher.update(one)
    assert hasher.digest() == PROTECTOR.content_hash(b"".join(data))


def test_hashes_name_algorithm_and_key_and_differ_by_kind_and_key() -> None:
    number = PROTECTOR.lookup_hash("number", "330106198001011234")
    assert (number[:3], len(number)) == (b"\x01\x00\x01", 19)
    assert number[3:] != PROTECTOR.lookup_hash("phone", "330106198001011234")[3:]
    assert number != Protector(new_ring()).lookup_hash("number", "330106198001011234")
    assert len(PROTECTOR.content_hash(b"")) == 16


@given(st.lists(st.none() | st.text(max_size=30)), st.sampled_from(["number", "name", "phone"]))
def test_lookup_many_is_lookup_one_by_one(values: list[str | None], kind: str) -> None:
    alone = [None if value is None else PROTECTOR.lookup_hash(kind, value) for value in values]  # type: ignore[arg-type]  # sampled from the kinds
    assert PROTECTOR.lookup_many(kind, values) == alone  # type: ignore[arg-type]  # sampled from the kinds


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("name", "张　三", "张三"),
        ("name", "买买提•吐尔逊", "买买提·吐尔逊"),
        ("name", "買買提．吐", "買買提·吐"),
        ("name", "John SMITH", "johnsmith"),
        ("number", "３３０１０６１９８００１０１１２３x", "330106198001011 23X"),
        ("number", "330106-19800101-123X", "33010619800101123X"),
        ("phone", "+86 138-0013-8000", "13800138000"),
        ("phone", "008613800138000", "13800138000"),
        ("phone", "(0571) 8888 8888", "057188888888"),
    ],
)
def test_alike_values_meet(kind: str, one: str, other: str) -> None:
    assert normalize(kind, one) == normalize(kind, other)  # type: ignore[arg-type]  # a kind of the table above


@given(st.text(alphabet="0123456789ABXYxy０１Ｘ- ()+　"), st.sampled_from(["number", "phone"]))
def test_noise_in_a_number_changes_nothing(text: str, kind: str) -> None:
    noisy = text.replace("1", " 1-").replace("0", "０")
    assert normalize(kind, noisy) == normalize(kind, text)  # type: ignore[arg-type]  # sampled from the kinds


# --- sealing ---


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_what_is_sealed_opens(data: list[bytes]) -> None:
    sealed = PROTECTOR.seal_many(data, context="test")
    assert PROTECTOR.unseal_many(sealed, context="test") == data
    assert len({value[3:15] for value in sealed}) == len(sealed)


@given(st.binary(max_size=60), st.data())
def test_a_changed_value_never_opens(data: bytes, draw: st.DataObject) -> None:
    sealed = bytearray(PROTECTOR.seal(data, context="test"))
    place = draw.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= draw.draw(st.integers(1, 255))
    with pytest.raises(Unsealable):
        PROTECTOR.unseal(bytes(sealed), context="test")


@pytest.mark.parametrize(
    "value", [b"", b"\x02", b"clear text that is long enough to be sealed", b"\x02\x00\x01" + b"0" * 27]
)
def test_what_is_not_sealed_does_not_open(value: bytes) -> None:
    with pytest.raises(Unsealable):
        PROTECTOR.unseal(value, context="test")


def test_a_sealed_value_opens_only_in_its_place_and_under_its_key() -> None:
    sealed = PROTECTOR.seal(b"secret", context="core.case_party")
    with pytest.raises(Unsealable, match="another place"):
        PROTECTOR.unseal(sealed, context="core.decision")
    with pytest.raises(Unsealable):
        Protector(new_ring()).unseal(sealed, context="core.case_party")


def test_a_person_is_protected_whole() -> None:
    person = PROTECTOR.protect(
        context="p", name="张三", number="33010619800101123X", phone="13800138000", address="浙江省杭州市文三路1号"
    )
    assert PROTECTOR.reveal(person.sealed, context="p") == {
        "name": "张三", "number": "33010619800101123X", "phone": "13800138000", "address": "浙江省杭州市文三路1号",
    }  # fmt: skip
    assert person.name_hash == PROTECTOR.lookup_hash("name", "张 三")
    assert person.number_hash == PROTECTOR.lookup_hash("number", "33010619800101123x")
    assert (person.name_mask, person.number_mask) == ("张*", "330*************3X")
    for secret in ("张三".encode(), b"33010619800101123X", b"13800138000"):
        assert secret not in repr(person).encode()
        assert secret not in person.sealed


def test_half_a_surrogate_pair_is_protected_too() -> None:
    person = PROTECTOR.protect(context="p", name="张\ud800")
    assert PROTECTOR.reveal(person.sealed, context="p") == {"name": "张?"}


# --- masks ---


@pytest.mark.parametrize(
    ("mask", "clear", "shown"),
    [
        ("mask_name", "张三", "张*"),
        ("mask_name", "欧阳娜娜", "欧***"),
        ("mask_name", "张", "*"),
        ("mask_name", "", ""),
        ("mask_name", "John Smith", "J*** S***"),
        ("mask_number", "330106198001011234", "330*************34"),
        ("mask_number", "A123456", "*******"),
        ("mask_number", "", ""),
        ("mask_phone", "138 0013 8000", "138******00"),
        ("mask_phone", "110", "***"),
        ("mask_address", "浙江省杭州市西湖区文三路90号5幢302室", "浙江省杭州市西湖区****"),
        (
            "mask_address",
            "新疆维吾尔自治区伊犁哈萨克自治州伊宁市解放路1号",
            "新疆维吾尔自治区伊犁哈萨克自治州伊宁市****",
        ),
        ("mask_address", "北京市海淀区中关村大街1号", "北京市海淀区****"),
        ("mask_address", "12 High Street, Douglas", "****"),
        ("mask_address", "", ""),
    ],
)
def test_masks(mask: str, clear: str, shown: str) -> None:
    assert getattr(Protector, mask)(clear) == shown


@given(
    st.text(alphabet="0123456789Xx－０１２ -", min_size=6, max_size=30), st.sampled_from(["mask_number", "mask_phone"])
)
def test_no_mask_shows_its_value(text: str, mask: str) -> None:
    shown = getattr(Protector, mask)(text)
    if len(shown) >= 7:
        assert shown.count("*") >= min(2, len(shown))


# --- keys ---


def test_the_embedded_default_makes_keys_once_and_closes_them(settings: Settings) -> None:
    first = load_ring(settings)
    assert load_ring(settings) == first
    path = settings.default_key_file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [found.name for found in path.parent.iterdir()] == ["keys.json"]


def test_a_real_server_is_refused_without_keys(settings: Settings) -> None:
    with pytest.raises(KeyTrouble, match="hub key make"):
        load_ring(Settings.load(home=settings.home, database_url="postgresql://h/d"))
    assert not settings.home.exists()


def test_a_named_key_file_is_never_invented(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(KeyTrouble, match="does not exist"):
        load_ring(Settings.load(home=settings.home, key_file=tmp_path / "none.json"))


def test_keys_from_a_secret_store(settings: Settings) -> None:
    ring = new_ring()
    given_keys = Settings.load(home=settings.home, database_url="postgresql://h/d", keys=ring.to_json())
    assert load_ring(given_keys) == ring
    assert Protector.from_settings(given_keys).fingerprints() == ring.fingerprints()


def test_an_open_key_file_is_refused(settings: Settings) -> None:
    load_ring(settings)
    settings.default_key_file.chmod(0o644)
    with pytest.raises(KeyTrouble, match="chmod 600"):
        load_ring(settings)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": 9}', '{"format": 1, "content": "eA==", "roots": []}', "not json with secret"]
)
def test_a_broken_key_file_is_named_and_not_quoted(settings: Settings, tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.touch(mode=0o600)
    path.write_text(text)
    with pytest.raises(KeyTrouble, match=r"keys\.json") as caught:
        load_ring(Settings.load(home=settings.home, key_file=path))
    assert "secret" not in str(caught.value)


def test_keys_never_show() -> None:
    assert "key=" not in repr(RING)
    assert "content=" not in repr(RING)


def test_a_ring_survives_its_file(tmp_path: Path) -> None:
    ring = new_ring().rotated().rotated().without(2)
    path = tmp_path / "keys.json"
    store_ring(path, ring, replace_existing=False)
    assert KeyRing.from_json(path.read_text(), "x") == ring
    assert not store_ring(path, new_ring(), replace_existing=False)
    assert KeyRing.from_json(path.read_text(), "x") == ring


def test_the_newest_key_seals_and_all_live_keys_find(settings: Settings) -> None:
    old = Protector.from_settings(settings)
    sealed, stored = old.seal(b"x", context="c"), old.lookup_hash("name", "张三")
    content = old.content_hash(b"record")
    store_ring(settings.default_key_file, old.ring.rotated(), replace_existing=True)
    new = Protector.from_settings(settings)
    assert key_number(new.seal(b"x", context="c")) == 2
    assert new.unseal(sealed, context="c") == b"x"
    assert stored in new.lookup_hashes("name", "张三")
    assert [key_number(found) for found in new.lookup_hashes("name", "张三")] == [2, 1]
    assert new.content_hash(b"record") == content


def test_a_running_process_takes_up_a_rotated_key(settings: Settings) -> None:
    running = Protector.from_settings(settings)
    store_ring(settings.default_key_file, running.ring.rotated(), replace_existing=True)
    sealed = Protector.from_settings(settings).seal(b"x", context="c")
    assert running.unseal(sealed, context="c") == b"x"
    assert len(running.lookup_hashes("number", "1")) == 2


def test_retired_keys_are_gone_and_their_number_is_not_used_again() -> None:
    ring = new_ring().rotated().without(1)
    assert [root.number for root in ring.roots] == [2]
    assert ring.rotated().newest.number == 3
    with pytest.raises(KeyTrouble, match="newest"):
        ring.without(2)
    with pytest.raises(KeyTrouble, match="live keys: 2"):
        ring.without(1)


def test_another_repositorys_keys_are_refused() -> None:
    ring = new_ring()
    mine = Protector(ring.rotated())
    mine.verify_fingerprints({})
    mine.verify_fingerprints(ring.fingerprints())
    with pytest.raises(KeyTrouble, match="the content key is"):
        mine.verify_fingerprints(new_ring().fingerprints())
    with pytest.raises(KeyTrouble, match="key 3 is missing"):
        mine.verify_fingerprints(ring.rotated().rotated().fingerprints() | mine.fingerprints())
    Protector(ring.rotated().without(1)).verify_fingerprints(ring.fingerprints())
