"""Small departments for tests: a system in `zhejiang-pre` shape, kept in SQLite, that a test writes row by row."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

PROFILE = Path(__file__).resolve().parents[1] / "connectors" / "profiles" / "zhejiang-pre"
STREAMS = ("PRE_APASINFO", "PRE_ACCEPT", "PRE_NODE", "PRE_TRANSACT")
ORGAN = "11330000002482285J"
ITEM = f"{ORGAN}2330117021000"


class Department:
    """One department's system; `put` writes a row as the department would, `source` is its source folder.

    One that lies there already, as a copy of another test's, is taken as it stands.
    """

    def __init__(self, sources: Path, code: str = "labour", **over: Any) -> None:
        self.code = code
        self.folder = sources / code
        self.file = self.folder / "system.sqlite"
        if self.file.exists() and not over:
            return
        self.folder.mkdir(parents=True)
        for stream in STREAMS:
            columns = ", ".join(f'"{name}"' for name in self.fields(stream))
            self._run(f"CREATE TABLE {stream.lower()} ({columns})")
        self.declare(**over)

    @staticmethod
    def fields(stream: str) -> list[str]:
        """The fields of a stream as its profile declares them."""
        return list(json.loads((PROFILE / f"{stream}.schema.json").read_text(encoding="utf-8"))["properties"])

    @property
    def url(self) -> str:
        """Where the system answers."""
        return f"sqlite:///{self.file}"

    def declare(self, **over: Any) -> None:
        """Write source.yml; `over` replaces its parts, `each` replaces parts of each stream, or takes them away."""
        each = over.pop("each", {})
        streams = {
            name: {"options": {"table": name.lower()}, "cursor": {"field": "CREATE_TIME", "lookback": "P400D"}, **each}
            for name in over.pop("streams", STREAMS)
        }
        streams = {
            name: {part: said for part, said in body.items() if said is not None} for name, body in streams.items()
        }
        body = {
            "version": 1,
            "code": self.code,
            "title": {"zh": "测试部门", "en": f"Department {self.code}"},
            "owner": {"organ": ORGAN, "name": "测试部门", "contact": "office 0571-0000"},
            "legal_basis": "a test",
            "organ": ORGAN,
            "region": "330000",
            "kind": "database",
            "profile": "zhejiang-pre",
            "connection": self.code,
            "streams": streams,
            **over,
        }
        body = {name: said for name, said in body.items() if said is not None}
        (self.folder / "source.yml").write_text(
            yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )

    def put(self, stream: str, **fields: Any) -> None:
        """Write one row; what is not said has a good value."""
        row = {**GOOD[stream], **fields}
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        self._run(f"INSERT INTO {stream.lower()} ({names}) VALUES ({marks})", *row.values())

    def clear(self, stream: str, **where: Any) -> None:
        """Take rows away, as nobody should."""
        clause = " AND ".join(f'"{name}" = ?' for name in where) or "1"
        self._run(f"DELETE FROM {stream.lower()} WHERE {clause}", *where.values())

    def change(self, stream: str, where: dict[str, Any], **fields: Any) -> None:
        """Change rows in place, as departments do."""
        sets = ", ".join(f'"{name}" = ?' for name in fields)
        clause = " AND ".join(f'"{name}" = ?' for name in where)
        self._run(f"UPDATE {stream.lower()} SET {sets} WHERE {clause}", *fields.values(), *where.values())

    def _run(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.file)) as system, system:
            system.execute("PRAGMA synchronous = OFF")  # no test cuts the power: nothing waits for the disk
            system.execute(statement, values)

    def case(self, number: str, **over: Any) -> None:
        """Write a whole clean case: application, acceptance, four stage events, closing."""
        self.put("PRE_APASINFO", PROJID=number, **over)
        self.put("PRE_ACCEPT", PROJID=number)
        for place, phase in enumerate(("ACCEPT", "UNDERTAKE", "REVIEW", "APPROVE"), 1):
            day = f"2026-03-{place + 1:02d}"
            self.put(
                "PRE_NODE", UNID=f"{number}-{place}", PROJID=number, PHASE_CODE=phase, START_TIME=f"{day} 09:30:15",
                END_TIME=f"{day} 15:00:00", CREATE_TIME=f"{day} 15:10:00",
            )  # fmt: skip
        self.put("PRE_TRANSACT", UNID=f"{number}-t", PROJID=number)


GOOD: dict[str, dict[str, Any]] = {
    "PRE_APASINFO": {
        "PROJID": "1", "SERVICECODE": ITEM, "SERVICENAME": "劳务派遣经营许可", "SERVICEVERSION": "1",
        "PROJECTNAME": "劳务派遣经营许可申请", "INFOTYPE": "2", "APPLYNAME": "王晓岚", "APPLY_CARDTYPE": "111",
        "APPLY_CARDNUMBER": "330185199003071223", "TELPHONE": "13957126845", "ADDRESS": "杭州市西湖区文三路18号",
        "DEPTID": ORGAN, "SS_ORGCODE": ORGAN, "APPLYFROM": "1", "APPLY_TYPE": "1", "BUS_MODE": "1", "IS_MANUBRIUM": "0",
        "RECEIVETIME": "2026-03-02 08:40:10", "AREACODE": "330000", "DATASTATE": "1",
        "CREATE_TIME": "2026-03-02 08:45:00", "SYNC_STATUS": "I", "DATAVERSION": 1,
    },
    "PRE_ACCEPT": {
        "PROJID": "1", "ACCEPT_MAN": "周敏", "ACCEPT_TIME": "2026-03-02 09:30:15", "PROMISEVALUE": "10",
        "PROMISETYPE": "1", "PROMISE_ETIME": "2026-03-16 23:59:59", "HANDER_DEPTNAME": "行政审批处",
        "HANDER_DEPTID": ORGAN, "CREATE_TIME": "2026-03-02 09:40:00", "SYNC_STATUS": "I", "DATAVERSION": 1,
    },
    "PRE_NODE": {
        "UNID": "n1", "PROJID": "1", "ACTION": "1", "NODE_NAME": "窗口受理", "NAME": "周敏", "OPINION": "同意",
        "START_TIME": "2026-03-02 09:30:15", "END_TIME": "2026-03-02 10:00:00", "HANDER_DEPTNAME": "行政审批处",
        "HANDER_DEPTID": ORGAN, "PHASE_CODE": "ACCEPT", "CREATE_TIME": "2026-03-02 10:10:00", "SYNC_STATUS": "I",
        "DATAVERSION": 1,
    },
    "PRE_TRANSACT": {
        "UNID": "t1", "PROJID": "1", "TRANSACT_USER": "郑立新", "TRANSACT_TIME": "2026-03-09 16:30:00",
        "TRANSACT_DESCRIBE": "准予许可", "TRANSACT_RESULT": "1", "RESULT_CODE": "浙人社许〔2026〕12号",
        "RESULTS_TIME": "2026-03-09 16:00:00", "HANDER_DEPTID": ORGAN, "CREATE_TIME": "2026-03-09 16:31:00",
        "SYNC_STATUS": "I", "DATAVERSION": 1,
    },
}  # fmt: skip
