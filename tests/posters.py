"""A department that posts its rows to the hub, in `zhejiang-pre` shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.departments import GOOD, ORGAN, STREAMS, Department


class Poster(Department):
    """A department whose program posts; `at` is the hub's address, `token` its client's."""

    def __init__(self, sources: Path, code: str = "labour", **over: Any) -> None:
        self.at, self.token = "", ""
        super().__init__(sources, code, **over)

    def declare(self, **over: Any) -> None:
        each = {"cursor": None, "options": {}, **over.pop("each", {})}
        super().declare(kind="push", each=each, **over)
        file = self.folder / "source.yml"
        body = yaml.safe_load(file.read_text(encoding="utf-8"))
        del body["connection"]
        file.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")

    def row(self, stream: str, **fields: Any) -> dict[str, Any]:
        """One row as the department would write it; what is not said has a good value."""
        return {**dict.fromkeys(self.fields(stream)), **GOOD[stream], **fields}

    def post(self, stream: str, *rows: Any, body: bytes | None = None, **headers: str | None) -> requests.Response:
        """Post rows; headers are named with _ for -, None leaves one out."""
        said: dict[str, str | None] = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = json.dumps(list(rows), ensure_ascii=False).encode() if body is None else body
        return requests.post(
            f"{self.at}/v1/records/{stream}", data=sent, timeout=60,
            headers={name: value for name, value in said.items() if value is not None},
        )  # fmt: skip

    def case_rows(self, number: str) -> dict[str, list[dict[str, Any]]]:
        """The rows of a whole clean case by stream."""
        phases = ("ACCEPT", "UNDERTAKE", "REVIEW", "APPROVE")
        nodes = [
            self.row(
                "PRE_NODE", UNID=f"{number}-{place}", PROJID=number, PHASE_CODE=phase,
                START_TIME=f"2026-03-{place + 1:02d} 09:30:15", END_TIME=f"2026-03-{place + 1:02d} 15:00:00",
                CREATE_TIME=f"2026-03-{place + 1:02d} 15:10:00",
            )
            for place, phase in enumerate(phases, 1)
        ]  # fmt: skip
        return {
            "PRE_APASINFO": [self.row("PRE_APASINFO", PROJID=number)],
            "PRE_ACCEPT": [self.row("PRE_ACCEPT", PROJID=number)],
            "PRE_NODE": nodes,
            "PRE_TRANSACT": [self.row("PRE_TRANSACT", UNID=f"{number}-t", PROJID=number)],
        }


__all__ = ["ORGAN", "STREAMS", "Poster"]
