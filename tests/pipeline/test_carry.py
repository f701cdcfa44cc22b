"""Carried media: a package is proven whole, read like any other delivery, and its receipts are carried back."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.envelopes.carried import take_in
from connectors.envelopes.package import Bounds, PackageRefused
from connectors.loading import load_sources
from hub.cli import build
from pipeline.runtime import Runtime
from tests.envelopes import Office, rows_of, seal
from tests.journeys.conftest import Hub

Make = Callable[[Path, Mapping[str, bytes]], Path]


def delivery(number: int, *cases: str, code: str = "labour", **said: Any) -> dict[str, bytes]:
    payload = rows_of(cases)
    name = f"{code}/batch_{number:04d}.csv"
    return {name: payload, f"{name}.envelope.json": json.dumps(seal(payload, number=number, **said)).encode()}


def as_zip(place: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(place / "package.zip", "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(name, content)
    return place / "package.zip"


def as_tar(place: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(place / "package.tar", "w") as out:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return place / "package.tar"


def as_folder(place: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        file = place / "medium" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return place / "medium"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "sources", tmp_path / "drop")


@pytest.fixture
def hub(runtime: Runtime, office: Office, monkeypatch: pytest.MonkeyPatch, database: str, key_ring: str) -> Hub:
    monkeypatch.setenv("HUB_SOURCES", str(office.folder.parent))
    monkeypatch.setenv("HUB_HOME", str(runtime.settings.home))
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    monkeypatch.setenv("HUB_KEYS", key_ring)
    monkeypatch.setenv("HUB_CONN_LABOUR", str(office.drop))
    return Hub(runtime, office)  # type: ignore[arg-type]  # it has what the hub asks of a department


def carry(*words: Any) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(build(["carry"]), ["carry", *map(str, words), "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.stdout)


def left(office: Office) -> list[str]:
    return sorted(path.relative_to(office.drop).as_posix() for path in office.drop.rglob("*"))


@pytest.mark.parametrize("make", [as_zip, as_tar, as_folder])
def test_a_package_is_taken_in_read_and_its_receipts_carried_out(
    hub: Hub, office: Office, tmp_path: Path, make: Make
) -> None:
    package = make(tmp_path, {**delivery(1, "C1", "C2"), **delivery(3, "C3")})
    code, told = carry("in", package)
    assert code == 0
    assert told["taken"] == [{"source": "labour", "files": ["batch_0001.csv", "batch_0003.csv"], "known": []}]
    assert told["pulled"][0]["streams"][0]["new"] == 3
    assert hub.one("SELECT detail ->> 'missing' FROM quality.finding WHERE rule = 'envelope_gap'") == "2"
    (tmp_path / "out").mkdir()
    code, told = carry("out", "labour", tmp_path / "out")
    names = ["labour/batch_0001.csv.receipt.json", "labour/batch_0003.csv.receipt.json"]
    assert told["receipts"] == names
    with zipfile.ZipFile(tmp_path / "out" / told["package"]) as archive:
        assert archive.namelist() == names
        assert json.loads(archive.read(names[1]))["missing"] == [[2, 2]]
    assert carry("out", "labour", tmp_path / "out")[1]["package"] is None, "each is carried out once"
    assert carry("out", "labour", tmp_path / "out", "--again")[1]["receipts"] == names


def test_a_package_that_comes_twice_changes_nothing_and_is_receipted_again(
    hub: Hub, office: Office, tmp_path: Path
) -> None:
    package = as_zip(tmp_path, delivery(1, "C1"))
    carry("in", package)
    before = left(office)
    code, told = carry("in", package)
    assert (code, told["taken"][0]["known"], told["taken"][0]["files"]) == (0, ["batch_0001.csv"], [])
    assert told["pulled"][0]["streams"][0]["read"] == 0
    assert left(office) == before
    (office.drop / "batch_0001.csv").unlink()
    (office.drop / "batch_0001.csv.envelope.json").unlink()
    hub.pull()
    assert carry("in", package)[1]["pulled"][0]["streams"][0]["read"] == 0, "its number is known"
    assert office.receipt("batch_0001.csv")["outcome"] == "repeated"


def test_all_of_a_package_is_taken_in_or_none_and_every_fault_is_told(hub: Hub, office: Office, tmp_path: Path) -> None:
    office.put("batch_0005.csv", b"other", None)
    files = {
        **delivery(1, "C1"), **delivery(2, "C2", source="transport"), **delivery(4, "C4", digest=f"sha-256:{'1' * 64}"),
        **delivery(5, "C5"),
    }  # fmt: skip
    with pytest.raises(PackageRefused) as caught:
        taken(office, as_zip(tmp_path, files))
    told = "\n".join(caught.value.faults)
    for part in ("batch_0002.csv: envelope_foreign", "batch_0004.csv: envelope_digest", "with other content"):
        assert part in told
    assert left(office) == ["batch_0005.csv"]


def test_what_lies_in_a_package_must_belong_to_a_stream(office: Office, tmp_path: Path) -> None:
    files = {**delivery(1, "C1"), **delivery(1, "C1", code="transport"), "readme.txt": b"x", "labour/notes.txt": b"x"}
    files["labour/lonely.csv"] = b"x"
    files["labour/gone.csv.envelope.json"] = b"{}"
    with pytest.raises(PackageRefused) as caught:
        taken(office, as_zip(tmp_path, files))
    told = "\n".join(caught.value.faults)
    for part in (
        "transport/batch_0001.csv lies in no folder that is named after a source (known: labour)",
        "readme.txt lies in no folder", "labour/notes.txt fits the path of no stream of labour",
        "labour/lonely.csv has no envelope beside it", "labour/gone.csv.envelope.json has no file beside it",
    ):  # fmt: skip
        assert part in told


def taken(office: Office, package: Path, bounds: Bounds | None = None) -> Any:
    sources = {one.code: one for one in load_sources([office.folder.parent])}
    return take_in(package, sources, lambda _: office.url, bounds)


def test_a_delivery_whose_counts_are_wrong_is_refused_by_the_pull(hub: Hub, tmp_path: Path) -> None:
    code, told = carry("in", as_zip(tmp_path, delivery(1, "C1", records=7)))
    assert (code, told["pulled"][0]["streams"][0]["refused_units"]) == (1, ["batch_0001.csv"])
    assert {rule for rule, _ in hub.findings()} == {"envelope_count"}
