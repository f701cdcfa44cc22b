"""The words of a scaffold: source.yml, a first mapping with its raw schema and code list, and invented examples."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from connectors.versions import NEWEST
from kit.scaffold.options import FLAG, connection_example, cursor, source_options, stream_options
from normalization.model import StreamMapping

ORGAN = "11330000002482285J"
"""A credit code of the right form, to be replaced."""

SCHEMA_FILE = "source.schema.json"
"""What editors complete source.yml by; it lies beside the source folders, and each new one brings it up to date."""

STREAM = "cases"

ENVELOPED = frozenset({"files", "push", "queue"})
"""Kinds whose deliveries may come with a batch envelope."""
_ENVELOPE = [
    "# Deliveries that bear a number each, their counts and a hash, so that none is lost or changed unseen:",
    "# envelope: {use: required, first: 1}   # docs/integrate/envelope.md; take the # away where they are sent",
]

_FIELDS = {
    "number": {"type": "string", "minLength": 1, "maxLength": 100, "title": "办件编号"},
    "item_name": {"type": ["string", "null"], "maxLength": 200, "title": "事项名称"},
    "applicant": {"type": ["string", "null"], "maxLength": 100, "title": "申请人"},
    "kind": {"type": ["string", "null"], "maxLength": 20, "title": "办件类型"},
    "applied_at": {"type": ["string", "null"], "maxLength": 40, "title": "申请时间"},
    "changed_at": {"type": ["string", "null"], "maxLength": 40, "title": "登记时间"},
    "remark": {"type": ["string", "null"], "maxLength": 500, "title": "备注"},
}


def flow(value: Any) -> str:
    """Write a value on one line of YAML."""
    return str(
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000)
    ).strip()


def source_yml(code: str, kind: str, profile: str | None, streams: Mapping[str, Mapping[str, Any]]) -> str:
    """Write source.yml; with a profile it has no more than 25 lines."""
    shared = source_options(kind)
    if profile and kind == "exchange_table":
        shared["leave_out"] = [FLAG["flag"]["column"]]  # the format does not know the flag that the hub writes
    address = f"# HUB_CONN_{code.upper().replace('-', '_')} holds the address, such as {connection_example(kind)}"
    posted = f"# the department posts with the token that `hub client new CLIENT --organ ORGAN --push {code}` prints"
    lines = [
        f"# yaml-language-server: $schema=../{SCHEMA_FILE}",
        "# Replace every word in 〔〕; docs/integrate/add-a-source.md explains each line. No secret belongs here:",
        posted if kind == "push" else address,
        f"version: {NEWEST}",
        f"code: {code}",
        f"title: {{zh: 〔{code} 系统名称〕, en: 〔{code}〕}}",
        f'owner: {{organ: "{ORGAN}", name: 〔单位名称〕, contact: 〔责任处室和座机〕}}',
        "legal_basis: 〔数据共享依据：法规名称和条款〕",
        f'organ: "{ORGAN}"',
        'region: "330000"',
        f"kind: {kind}",
        f"profile: {profile}" if profile else "mapping: mapping.yml",
        *([] if kind == "push" else [f"connection: {code}"]),
        'schedule: "0 2 * * *"',
        *([f"options: {flow(shared)}"] if shared else []),
        "streams:",
        *(f"  {flow(name)}: {flow(body)}".replace("\n...", "") for name, body in streams.items()),
        *(_ENVELOPE[1 if profile else 0 :] if kind in ENVELOPED else []),
    ]
    return "\n".join(lines) + "\n"


def stream_body(kind: str, name: str, mapped: StreamMapping | None) -> dict[str, Any]:
    """Return what source.yml says of one stream."""
    body: dict[str, Any] = {}
    if options := stream_options(kind, name):
        body["options"] = options
    timed = mapped.reported_at or mapped.order if mapped else None
    field = timed.field.name if timed else (None if mapped else "changed_at")
    if found := cursor(kind, field, time=timed is None or timed.time):
        body["cursor"] = found
    elif "since" in options:
        del options["since"]  # a service can be asked for what is new only by a cursor
    if mapped is not None and mapped.operation is not None:
        body["deletion"] = "operation"
    return body


def field_name(kind: str, field: str) -> str:
    """Return what a field of the first stream is called in a kind: an event log says of what it speaks."""
    if kind != "xes":
        return "case_number" if field == "number" else field
    return "case:concept:name" if field == "number" else f"case:{field}"


def _extra(kind: str) -> dict[str, Any]:
    """Return the fields that a kind adds: an exchange table's records bear its flag, empty."""
    return {str(FLAG["flag"]["column"]): {"type": ["string", "null"]}} if kind == "exchange_table" else {}


def raw_schema(kind: str) -> str:
    """Write the raw schema of the first stream."""
    fields = {field_name(kind, name): spec for name, spec in _FIELDS.items()} | _extra(kind)
    inner = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(spec, ensure_ascii=False)}" for name, spec in fields.items()
    )
    sparse = '  "x-sparse": true,\n' if kind == "xes" else ""
    return (
        f'{{\n  "type": "object",\n{sparse}  "required": [{json.dumps(field_name(kind, "number"))}],\n'
        f'  "properties": {{\n{inner}\n  }}\n}}\n'
    )


def mapping_yml(kind: str) -> str:
    """Write the first mapping, with comments that lead on."""
    ignored = "".join(f'      {name}: "flag of the exchange table, which the hub writes"\n' for name in _extra(kind))
    text = _MAPPING
    for name in _FIELDS:
        text = text.replace(f"<{name}>", flow(field_name(kind, name)).replace("\n...", ""))
    return text + ignored


_MAPPING = f"""\
# What the fields mean: docs/integrate/mapping-language.md has the whole language on one page. It is strict: every field
# of {STREAM}.schema.json is used below or ignored with a reason. `hub connector discover CODE` proposes lines.
version: 1
streams:
  {STREAM}:
    schema: {STREAM}.schema.json
    key: [<number>]                # what tells the system's records apart
    case: <number>                 # the case that a record belongs to
    reported_at: <changed_at>            # when the department wrote the record
    # order: version                     # which of two records with one key is newer; without it, the later pull
    # operation: {{field: op, delete: [D], keep: [I, U]}}   # then `deletion: operation` in source.yml
    yields:
      - table: approval_case             # one canonical row; the tables are the folders of schemas/
        columns:
          reporting_organ: {{source: organ}}
          handling_organ: {{source: organ}}
          region: {{source: region}}
          item_name: <item_name>
          case_kind: {{from: <kind>, codes: kind}}   # codes/kind.csv: the department's word, ours, its label
          applied_at: <applied_at>
      - table: case_party                # a second row of the same record, when it names an applicant
        when: {{present: <applicant>}}
        columns:
          role: {{const: applicant}}
          name: <applicant>
    ignore:
      <remark>: "notes of the clerk; the hub has no use for them"
"""

CODES = "code,value,label_zh\n承诺,promised,承诺件\n即办,immediate,即办件\n"


def examples(kind: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return invented examples of the first stream: good ones, and one bad one for each of two rules."""
    named = {field: field_name(kind, field) for field in _FIELDS}
    said = {"item_name": "建筑工程施工许可", "applicant": "某某建设有限公司", "remark": "样例"}
    good = [
        {named[field]: value for field, value in {
            "number": f"2026-{day:04d}", **said, "kind": word,
            "applied_at": f"2026-01-{day:02d} 08:30:00", "changed_at": f"2026-01-{day:02d} 09:00:00",
        }.items()} | dict.fromkeys(_extra(kind))
        for day, word in ((5, "承诺"), (6, "即办"), (7, "承诺"))
    ]  # fmt: skip
    bad = [
        ({**good[0], named["kind"]: "特办"}, ["unknown_code"]),
        ({**good[0], named["applied_at"]: "昨天"}, ["unreadable_value"]),
    ]
    return (
        [{"stream": STREAM, "invented": True, "record": record} for record in good],
        [{"stream": STREAM, "invented": True, "record": record, "raises": rules} for record, rules in bad],
    )


def json_lines(messages: Iterable[Mapping[str, Any]]) -> str:
    """Write messages as JSON lines."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in messages)


CONNECTOR = '''\
"""Reads what no kind of the hub can read. The seam is told in connectors/seam.py: check, discover, read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from connectors.seam import CheckItem, CheckReport, DiscoveredStream, KeyedHash, fields_of
from connectors.source import Source, StreamSpec
from hub.errors import SourceUnreachable
from hub.records import Record, Slice


class OwnConnector:
    """Reads STREAM.jsonl in the folder that the connection names. Put your own reading in place of `_records`."""

    def __init__(self, source: Source, url: str, keyed_hash: KeyedHash | None = None) -> None:
        self.source, self.folder = source, Path(url)

    def check(self) -> CheckReport:
        """Try each stream."""
        return CheckReport(self.source.code, tuple(self._check(one) for one in self.source.streams.values()))

    def _check(self, stream: StreamSpec) -> CheckItem:
        try:
            return CheckItem(stream.name, ok=True, message=f"{len(self._records(stream))} records")
        except SourceUnreachable as error:
            return CheckItem(stream.name, ok=False, message=error.got, hint=str(error))

    def discover(self) -> list[DiscoveredStream]:
        """List the streams with their fields."""
        return [DiscoveredStream(one.name, fields_of(self._records(one))) for one in self.source.streams.values()]

    def read(self, stream: StreamSpec, state: Record, *, slice_size: int, full: bool) -> Iterator[Slice]:
        """Yield all records behind those that the state counts; at least one slice, the last one says so."""
        records = self._records(stream)
        done = 0 if full else int(state.get("read", 0))
        while True:
            piece = records[done : done + slice_size]
            rows = range(done + 1, done + 1 + len(piece))
            done += len(piece)
            last = done >= len(records)
            yield Slice(stream.name, piece, rows, {"read": done}, last=last)
            if last:
                return

    def _records(self, stream: StreamSpec) -> list[Record]:
        try:
            lines = (self.folder / f"{stream.name}.jsonl").read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise SourceUnreachable(
                source=self.source.code, stream=stream.name, got=f"its file cannot be read: {error.strerror}"
            ) from None
        return [json.loads(line) for line in lines]
'''
