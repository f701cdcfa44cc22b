"""What is put into the archive comes back as it was, or is refused; and what was erased is gone."""

from __future__ import annotations

import base64
import gc
import io
import json
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.protect import AES_256_GCM, SM4_GCM, KeyRing, Protector, SealCipher, new_ring
from sharedrepo.archive import (
    Archive,
    ArchiveDamaged,
    ArchiveErased,
    ArchiveError,
    ArchiveMissing,
    object_key,
)
from sharedrepo.archive import envelope as envelopes
from sharedrepo.archive.store import check_key

PROTECTOR = Protector(new_ring())
BY_SM4 = Protector(PROTECTOR.ring, cipher=SM4_GCM)
HEADER = {"source": "zj-hrss", "stream": "PRE_NODE", "seq": 1, "month": "2026-01", "state_after": {"t": "2026"}}
KEY = "zj-hrss/2026-01/0000000001-PRE_NODE"

lines_of_records = st.lists(st.binary(max_size=400).map(lambda raw: raw.replace(b"\n", b"")), max_size=60)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(str(tmp_path / "archive"), PROTECTOR)


def path_of(archive: Archive, key: str = KEY) -> Path:
    return Path(archive.url) / key


@pytest.fixture(scope="module", params=["local", "memory", "sm4"])
def stores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    url = "memory://hub-test" if request.param == "memory" else str(tmp_path_factory.mktemp("archive"))
    return Archive(url, BY_SM4 if request.param == "sm4" else PROTECTOR)


# --- round trips ---


@given(lines=lines_of_records)
def test_lines_come_back_as_they_were(stores: Archive, lines: list[bytes]) -> None:
    ref = stores.put(KEY, HEADER, iter(lines))
    header, found = stores.open(KEY)
    assert list(found) == lines
    assert ref.lines == len(lines)
    assert {name: header[name] for name in HEADER} == HEADER
    assert (header["object"], header["format"]) == (KEY, 1)


@given(lines=lines_of_records)
def test_what_the_ledger_keeps_is_what_the_archive_would_hold(stores: Archive, lines: list[bytes]) -> None:
    encoded = stores.encode(KEY, HEADER, lines)
    assert list(stores.decode(KEY, encoded)[1]) == lines
    ref = stores.put_encoded(KEY, encoded)
    assert (ref.size, ref.lines, ref.digest) == (len(encoded), len(lines), PROTECTOR.content_hash(encoded))
    assert list(stores.open(KEY)[1]) == lines


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(-2, 2), st.integers(1, 3))
def test_content_around_the_chunk_size(difference: int, chunks: int) -> None:
    line = PROTECTOR.content_hash(b"noise").hex().encode()
    noise = b"".join(PROTECTOR.content_hash(str(n).encode()) for n in range(envelopes.CHUNK * chunks // 16 + 4))
    noise = noise.replace(b"\n", b" ")[: envelopes.CHUNK * chunks + difference]
    written = b"".join(envelopes.encrypt({}, envelopes.compress([line, noise, line]), b"k" * 32, AES_256_GCM))
    assert list(envelopes.decrypt(io.BytesIO(written), "k", lambda _: b"k" * 32)) == [line, noise, line]


def test_the_ref_is_of_the_whole_object(archive: Archive) -> None:
    ref = archive.put(KEY, HEADER, [b"one", b"two"])
    written = path_of(archive).read_bytes()
    assert (ref.key, ref.size, ref.lines, ref.digest) == (KEY, len(written), 2, PROTECTOR.content_hash(written))


def test_a_line_with_a_newline_is_refused_and_nothing_is_left(archive: Archive) -> None:
    with pytest.raises(ValueError, match="newline"):
        archive.put(KEY, HEADER, [b"one", b"two\nthree"])
    assert archive.list() == []
    assert [found.name for found in path_of(archive).parent.iterdir()] == []


def test_an_interrupted_write_keeps_the_former_object(archive: Archive) -> None:
    def broken() -> Iterator[bytes]:
        yield b"new"
        raise ConnectionResetError

    archive.put(KEY, HEADER, [b"former"])
    with pytest.raises(ConnectionResetError):
        archive.put(KEY, HEADER, broken())
    assert list(archive.open(KEY)[1]) == [b"former"]
    assert [found.name for found in path_of(archive).parent.iterdir()] == [KEY.rpartition("/")[2]]


def test_lines_that_nobody_takes_hold_no_file_open(archive: Archive) -> None:
    archive.put(KEY, HEADER, [b"one"] * 10)
    _, untouched = archive.open(KEY)
    _, begun = archive.open(KEY)
    next(begun)
    del untouched, begun
    gc.collect()


def test_reading_and_writing_are_streams(archive: Archive) -> None:
    count = 200_000
    tracemalloc.start()
    archive.put(
        KEY, HEADER, (b'{"UNID":"%d","NAME":"someone of no importance %d"}' % (n, n * 7919) for n in range(count))
    )
    assert sum(1 for _ in archive.open(KEY)[1]) == count
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


# --- secrecy ---


def test_nothing_of_a_record_shows_and_everything_is_closed(archive: Archive) -> None:
    archive.put(KEY, HEADER, ['{"NAME":"张三","ID":"330106198001011234"}'.encode()] * 50)
    for path in Path(archive.url).rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        if path.is_file():
            assert "张三".encode() not in path.read_bytes()
            assert b"330106198001011234" not in path.read_bytes()
    assert stat.S_IMODE(Path(archive.url).stat().st_mode) == 0o700


def test_the_same_lines_are_never_written_alike(archive: Archive) -> None:
    assert archive.encode(KEY, HEADER, [b"x"]) != archive.encode(KEY, HEADER, [b"x"])


def test_other_keys_open_nothing(archive: Archive) -> None:
    archive.put(KEY, HEADER, [b"one"])
    with pytest.raises(ArchiveDamaged, match="does not open"):
        Archive(archive.url, Protector(new_ring())).open(KEY)


# --- tampering: a typed error, never other lines ---

PIECES = [b"".join(PROTECTOR.content_hash(b"%d-%d" % (n, m)).hex().encode() for m in range(400)) for n in range(240)]


@pytest.fixture(scope="module", params=[PROTECTOR, BY_SM4], ids=lambda one: one.cipher.name)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, bytes]:
    archive = Archive(str(tmp_path_factory.mktemp("written")), request.param)
    return archive, archive.encode(KEY, HEADER, PIECES)


def read_all(archive: Archive, changed: bytes) -> list[bytes]:
    return list(archive.decode(KEY, changed)[1])


@settings(max_examples=200)
@given(data=st.data())
def test_a_flipped_bit_is_found(written: tuple[Archive, bytes], data: st.DataObject) -> None:
    archive, whole = written
    place = data.draw(st.integers(0, len(whole) - 1) | st.integers(0, 600))
    changed = bytearray(whole)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ArchiveError):
        read_all(archive, bytes(changed))


@settings(max_examples=200)
@given(data=st.data())
def test_a_cut_is_found(written: tuple[Archive, bytes], data: st.DataObject) -> None:
    archive, whole = written
    with pytest.raises(ArchiveDamaged):
        read_all(archive, whole[: data.draw(st.integers(0, len(whole) - 1))])


def split(whole: bytes) -> tuple[bytes, list[bytes]]:
    source = io.BytesIO(whole)
    head = envelopes.read_header(source, KEY)[1]
    chunks = []
    while length := source.read(4):
        chunks.append(length + source.read(int.from_bytes(length, "big")))
    return head, chunks


@pytest.mark.parametrize(
    "change", ["drop_first", "drop_middle", "drop_last", "swap", "repeat", "append", "append_old", "none"]
)
def test_moved_chunks_are_found(written: tuple[Archive, bytes], change: str) -> None:
    archive, whole = written
    head, chunks = split(whole)
    assert len(chunks) > 3
    made = {
        "drop_first": chunks[1:], "drop_middle": chunks[:1] + chunks[2:], "drop_last": chunks[:-1],
        "swap": [chunks[1], chunks[0], *chunks[2:]], "repeat": [chunks[0], *chunks], "append": [*chunks, chunks[-1]],
        "append_old": [*chunks, chunks[0]], "none": [],
    }[change]  # fmt: skip
    with pytest.raises(ArchiveDamaged):
        read_all(archive, head + b"".join(made))
    assert read_all(archive, head + b"".join(chunks)) == PIECES


def test_chunks_of_another_object_are_found(written: tuple[Archive, bytes]) -> None:
    archive, whole = written
    _, others = split(archive.encode(KEY, HEADER, PIECES))
    head, chunks = split(whole)
    with pytest.raises(ArchiveDamaged):
        read_all(archive, head + b"".join([chunks[0], others[1], *chunks[2:]]))


def test_a_changed_header_is_found(written: tuple[Archive, bytes]) -> None:
    archive, whole = written
    with pytest.raises(ArchiveDamaged):
        read_all(archive, whole.replace(b'"seq":1', b'"seq":2'))


def test_a_renamed_object_is_found(archive: Archive) -> None:
    archive.put(KEY, HEADER, [b"one"])
    other = KEY.replace("0000000001", "0000000002")
    path_of(archive).rename(path_of(archive, other))
    with pytest.raises(ArchiveDamaged, match="another name"):
        archive.open(other)


@pytest.mark.parametrize(
    "content", [b"", b"HUBARC", b"HUBARC\x01\n\xff\xff\xff\xff", b"HUBARC\x01\n\x00\x00\x00\x02{}", b"x" * 99]
)
def test_what_is_no_object_is_refused(archive: Archive, content: bytes) -> None:
    archive.put(KEY, HEADER, [b"one"])
    path_of(archive).write_bytes(content)
    with pytest.raises(ArchiveDamaged):
        archive.open(KEY)


def test_a_missing_object_says_so(archive: Archive) -> None:
    with pytest.raises(ArchiveMissing):
        archive.open(KEY)
    with pytest.raises(ArchiveMissing):
        archive.head("zj-hrss")


# --- ciphers: what is written names its own, and is read by any ---

FIXED = {
    "format": 1,
    "content": base64.b64encode(b"c" * 32).decode(),
    "roots": [{"number": 1, "key": base64.b64encode(b"r" * 32).decode()}],
}
OLD = {
    "_keys/s/2026-01/9d020bd1cee9e78d.json": b'{"format":1,"made":"2026-11-28T10:44:28+00:00","sealed":"'
    b'AgABzJbiz4MNrz2ERudfLYFeatGabICG0go1dyaCelMg5/9eg0f1++usyB73Q0gRr9x7mm6sN7MESoioiJvF"}',
    "s/2026-01/1": base64.b64decode(
        "SFVCQVJDAQoAAACCeyJzb3VyY2UiOiJzIiwibW9udGgiOiIyMDI2LTAxIiwib2JqZWN0Ijoicy8yMDI2LTAxLzEiLCJkYXRhX2tleSI6"
        "IjlkMDIwYmQxY2VlOWU3OGQiLCJmb3JtYXQiOjEsInNhbHQiOiJjM0dsWE04bTFIZVBNYXlOa01hQXl3PT0ifQAAAB0+KQXBy4pMX90R"
        "iqpFumOn6WRs5uCIB5fcWcOQOg=="
    ),
}
"""An archive that was written under `FIXED` before objects named their cipher."""
OLD_PAYLOAD = base64.b64decode("AjIwMjYtMDGdAgvRzunnjaEKqIdy+8vMQ2fKVCjn5HjfFs/VR2tuJc94c7OCRoay5A==")


@pytest.mark.parametrize("cipher", [AES_256_GCM, SM4_GCM], ids=lambda one: one.name)
def test_what_was_written_before_ciphers_were_named_is_read(tmp_path: Path, cipher: SealCipher) -> None:
    for name, content in OLD.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(content)
    archive = Archive(str(tmp_path), Protector(KeyRing.from_json(json.dumps(FIXED), "a test"), cipher=cipher))
    assert list(archive.open("s/2026-01/1")[1]) == [b"one"]
    assert archive.data_keys.unlock("s", OLD_PAYLOAD) == b"waits"


def test_both_ciphers_live_in_one_archive_and_are_erased_together(archive: Archive) -> None:
    second = Archive(archive.url, BY_SM4)
    locked = {}
    for name, one in (("aes-256-gcm", archive), ("sm4-gcm", second)):
        one.put(f"s/2026-01/{name}", HEADER, [b"one"])
        locked[name] = one.data_keys.locker("zj-hrss", "2026-01")(b"waits")
    for reader in (archive, second):
        for name, payload in locked.items():
            assert reader.head(f"s/2026-01/{name}")["cipher"] == name
            assert list(reader.open(f"s/2026-01/{name}")[1]) == [b"one"]
            assert reader.data_keys.unlock("zj-hrss", payload) == b"waits"
    assert second.data_keys.erase("zj-hrss", "2026-01") == 1
    for name, payload in locked.items():
        with pytest.raises(ArchiveErased):
            archive.open(f"s/2026-01/{name}")
        with pytest.raises(ArchiveErased):
            archive.data_keys.unlock("zj-hrss", payload)


@pytest.mark.parametrize("said", ["sm4-cbc", "", None, ["sm4-gcm"]])
def test_an_object_of_an_unknown_cipher_says_which_are_known(archive: Archive, said: object) -> None:
    head, chunks = split(archive.encode(KEY, HEADER, [b"one"]))
    stated = {**json.loads(head[12:]), "cipher": said}
    text = json.dumps(stated).encode()
    changed = head[:8] + len(text).to_bytes(4, "big") + text + b"".join(chunks)
    with pytest.raises(ArchiveDamaged, match=r"its header names no cipher .*knows aes-256-gcm, sm4-gcm"):
        read_all(archive, changed)


def test_an_object_does_not_open_under_another_cipher(archive: Archive) -> None:
    whole = archive.encode(KEY, HEADER, [b"one"])
    stated = b'"cipher":"aes-256-gcm"'
    assert stated in whole
    changed = whole.replace(stated, b'"cipher":"sm4-gcm"    ')
    with pytest.raises(ArchiveDamaged, match="changed"):
        read_all(archive, changed)


@settings(max_examples=200)
@given(protector=st.sampled_from([PROTECTOR, BY_SM4]), data=st.data())
def test_a_changed_or_cut_payload_is_refused(stores: Archive, protector: Protector, data: st.DataObject) -> None:
    keys = Archive(stores.url, protector).data_keys
    locked = keys.locker("payloads", "2026-01")(b"waits")
    place = data.draw(st.integers(0, len(locked) - 1))
    flipped = bytearray(locked)
    flipped[place] ^= data.draw(st.integers(1, 255))
    for changed in (bytes(flipped), locked[:place]):
        with pytest.raises(ArchiveDamaged):
            keys.unlock("payloads", changed)
    with pytest.raises(ArchiveDamaged, match=r"no mark of a cipher.*sm4-gcm"):
        keys.unlock("payloads", b"\x07" + locked[1:])


# --- names ---


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../x", "a//b", "a/.hidden", "a/b\x00", "a b", "a/"])
def test_names_that_lead_outside_are_refused(archive: Archive, key: str) -> None:
    with pytest.raises(ValueError, match="archive key"):
        archive.put(key, HEADER, [])


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_source_and_stream_make_a_safe_name(source: str, stream: str) -> None:
    encodable = source.encode("utf-8", "replace").decode(), stream.encode("utf-8", "replace").decode()
    key = object_key(encodable[0], "2026-01", 7, encodable[1])
    assert check_key(key) == key
    assert all(len(part) < 255 for part in key.split("/"))


def test_different_names_stay_different() -> None:
    names = ["办件", "办件信息", "a.b", "a-b", "-a", "x" * 500, "x" * 501, "a/b", "a%2Fb"]
    assert len({object_key(name, "2026-01", 1, "s") for name in names}) == len(names)


def test_list_is_in_order_and_shows_objects_only(archive: Archive) -> None:
    keys = [object_key("zj-hrss", "2026-01", seq, "PRE_NODE") for seq in (10, 2, 1)] + ["other/2026-01/1-x"]
    for key in keys:
        archive.put(key, HEADER, [])
    assert archive.list("zj-hrss/") == sorted(keys[:3])
    assert archive.list("zj-hrss/2026-01/00000000") == sorted(keys[:3])
    assert archive.list() == sorted(keys)
    assert archive.list("none/") == []
    with pytest.raises(ValueError, match="data keys"):
        archive.put("_keys/x/2026-01/1.json", HEADER, [])


@pytest.mark.parametrize("header", [{}, {"source": ""}, {"source": "a", "month": "2026-13"}])
def test_a_header_without_source_or_month_is_refused(archive: Archive, header: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"source|month"):
        archive.put(KEY, header, [])


# --- data keys ---


def test_one_data_key_a_source_and_month(stores: Archive) -> None:
    made = [
        (source, month, stores.put(f"{source}/{month}/{n}", {**HEADER, "source": source, "month": month}, []))
        for source in ("keys-a", "keys-b") for month in ("2026-01", "2026-02") for n in (1, 2)
    ]  # fmt: skip
    used = {(source, month): stores.head(ref.key)["data_key"] for source, month, ref in made}
    assert len(set(used.values())) == 4


def test_erasing_a_month_erases_it_alone(stores: Archive) -> None:
    for month in ("2026-01", "2026-02"):
        stores.put(f"gone/{month}/1", {**HEADER, "source": "gone", "month": month}, [b"one"])
    encoded = stores.encode("gone/2026-01/2", {**HEADER, "source": "gone", "month": "2026-01"}, [b"two"])
    assert stores.data_keys.erase("gone", "2026-01") == 1
    assert stores.data_keys.erase("gone", "2026-01") == 0
    with pytest.raises(ArchiveErased):
        stores.open("gone/2026-01/1")
    with pytest.raises(ArchiveErased):
        list(stores.decode("gone/2026-01/2", encoded)[1])
    assert list(stores.open("gone/2026-02/1")[1]) == [b"one"]
    stores.put("gone/2026-01/3", {**HEADER, "source": "gone", "month": "2026-01"}, [b"late"])
    assert list(stores.open("gone/2026-01/3")[1]) == [b"late"]
    with pytest.raises(ArchiveErased):
        stores.open("gone/2026-01/1")


def test_a_lost_data_key_is_no_erasure(archive: Archive) -> None:
    archive.put(KEY, HEADER, [b"one"])
    for path in Path(archive.url).glob("_keys/**/*.json"):
        path.unlink()
    with pytest.raises(ArchiveDamaged, match="missing"):
        archive.open(KEY)


def test_data_keys_are_sealed_anew_when_keys_rotate(archive: Archive) -> None:
    archive.put(KEY, HEADER, [b"one"])
    rotated = PROTECTOR.ring.rotated()
    after = Archive(archive.url, Protector(rotated))
    assert after.data_keys.usage() == {b"\x02\x00\x01": 1}
    assert (after.data_keys.reseal(), after.data_keys.reseal()) == (1, 0)
    assert after.data_keys.usage() == {b"\x02\x00\x02": 1}
    assert list(Archive(archive.url, Protector(rotated.without(1))).open(KEY)[1]) == [b"one"]


def test_a_data_key_moved_to_another_month_does_not_open(archive: Archive) -> None:
    archive.put(KEY, HEADER, [b"one"])
    archive.put("b", {**HEADER, "month": "2026-02"}, [b"one"])
    first, second = sorted(Path(archive.url).glob("_keys/**/*.json"))
    first.write_bytes(second.read_bytes())
    with pytest.raises(ArchiveDamaged, match="does not open"):
        archive.open(KEY)
