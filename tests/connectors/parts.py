"""Small sources made in code, for tests that need no source folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import connectors
from connectors.seam import Connector
from connectors.source import Cursor, Expect, Owner, Source, StreamSpec
from hub.records import Record, Slice


def keyed(data: bytes) -> bytes:
    return hashlib.blake2b(data, key=b"test key", digest_size=16).digest()


def stream(
    name: str = "s", *, cursor: Cursor | None = None, key: tuple[str, ...] = (), deletion: Any = "none",
    expect: Expect | None = None, **options: Any,
) -> StreamSpec:  # fmt: skip
    return StreamSpec(name, options, cursor=cursor, key=key, deletion=deletion, expect=expect)


def source(kind: Any, *streams: StreamSpec, folder: Path = Path(), time_zone: str = "Asia/Shanghai") -> Source:
    return Source(
        code="probe", title={"zh": "试", "en": "probe"}, owner=Owner("11330000002482285C", "o", "c"), legal_basis="l",
        kind=kind, connection="probe", mapping=folder / "mapping.yml", folder=folder, time_zone=time_zone,
        streams={one.name: one for one in streams},
    )  # fmt: skip


def opened(kind: Any, url: str, *streams: StreamSpec, folder: Path = Path()) -> Connector:
    return connectors.open(source(kind, *streams, folder=folder), lambda _: url, keyed_hash=keyed)


def pull(
    kind: Any, url: str, one: StreamSpec, state: Record | None = None, *, size: int = 100, full: bool = False,
    folder: Path = Path(),
) -> list[Slice]:  # fmt: skip
    connector = opened(kind, url, one, folder=folder)
    slices = list(connector.read(one, state or {}, slice_size=size, full=full))
    assert [piece.last for piece in slices] == [False] * (len(slices) - 1) + [True]
    assert all(len(piece.records) == len(piece.rows) for piece in slices)
    return slices


def records(slices: list[Slice]) -> list[Record]:
    return [record for piece in slices for record in piece.records]
