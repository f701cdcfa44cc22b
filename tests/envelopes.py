"""A department that delivers numbered files: CSV in `zhejiang-pre` shape, each with its envelope beside it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rfc8785
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.departments import GOOD, ITEM, ORGAN, Department

STREAM = "PRE_APASINFO"


def public_of(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def seal(payload: bytes, *, key: Ed25519PrivateKey | None = None, name: str = "2026-a", **said: Any) -> dict[str, Any]:
    """Make the envelope of a payload, written down by the standards and not by the hub's own code."""
    envelope = {
        "envelope": 1, "source": "labour", "stream": STREAM, "number": 1,
        "records": max(payload.count(b"\n") - 1, 0), "digest": f"sha-256:{hashlib.sha256(payload).hexdigest()}",
        "written": "2026-03-20T18:05:00+08:00", **said,
    }  # fmt: skip
    envelope = {name_: value for name_, value in envelope.items() if value is not None}
    if key is not None:
        envelope["signature"] = {"algorithm": "ed25519", "key": name}
        envelope["signature"]["value"] = base64.b64encode(key.sign(rfc8785.dumps(envelope))).decode()
    return envelope


def rows_of(numbers: Sequence[str | dict[str, Any]]) -> bytes:
    """A CSV file with an application for each case number, or each set of fields."""
    out = io.StringIO()
    writer = csv.DictWriter(out, Department.fields(STREAM), lineterminator="\n")
    writer.writeheader()
    for one in numbers:
        writer.writerow({**GOOD[STREAM], **({"PROJID": one} if isinstance(one, str) else one)})
    return out.getvalue().encode()


class Office:
    """One department's folder of deliveries, and its declaration; the hub's test harness takes it for a department."""

    def __init__(self, sources: Path, drop: Path, code: str = "labour", **over: Any) -> None:
        self.code, self.drop = code, drop
        self.folder = sources / code
        self.folder.mkdir(parents=True)
        self.drop.mkdir(parents=True, exist_ok=True)
        self.declare(**over)

    @property
    def url(self) -> str:
        return str(self.drop)

    def declare(
        self, *, stream: dict[str, Any] | None = None, envelope: dict[str, Any] | None = None, **over: Any
    ) -> None:
        block = {} if over.get("kind") == "queue" else {"receipts": "receipts", **(envelope or {})}
        body = {
            "version": 1, "code": self.code, "title": {"zh": "测试部门", "en": f"Department {self.code}"},
            "owner": {"organ": ORGAN, "name": "测试部门", "contact": "office 0571-0000"},
            "legal_basis": "a test", "organ": ORGAN, "region": "330000", "kind": "files", "profile": "zhejiang-pre",
            "connection": self.code, "envelope": block,
            "streams": {STREAM: {"options": {"path": "*.csv", "format": "csv"}, **(stream or {})}},
            **over,
        }  # fmt: skip
        (self.folder / "source.yml").write_text(
            yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )

    def put(self, name: str, payload: bytes, envelope: dict[str, Any] | bytes | None) -> None:
        """Deliver a file, its envelope last."""
        (self.drop / name).write_bytes(payload)
        if envelope is not None:
            said = envelope if isinstance(envelope, bytes) else json.dumps(envelope, ensure_ascii=False).encode()
            (self.drop / f"{name}.envelope.json").write_bytes(said)

    def deliver(self, number: int, *cases: str | dict[str, Any], name: str | None = None, **said: Any) -> None:
        """Deliver a numbered file with an application for each case number."""
        payload = rows_of(cases)
        self.put(
            name or f"batch_{number:04d}.csv", payload, seal(payload, number=number, **{"source": self.code, **said})
        )

    def receipt(self, name: str) -> dict[str, Any]:
        """Read the receipt of a file."""
        found: dict[str, Any] = json.loads(
            (self.drop / "receipts" / f"{name}.receipt.json").read_text(encoding="utf-8")
        )
        return found


__all__ = ["ITEM", "ORGAN", "STREAM", "Department", "Office", "public_of", "rows_of", "seal"]
