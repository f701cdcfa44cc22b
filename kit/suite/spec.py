"""Checks of the folder itself: it loads without a fault, and no field is left over or waved away."""

from __future__ import annotations

import re

from kit.suite.result import Check, Result, failed, passed
from kit.suite.stand import Stand

_SHOWN = 10
_SHORTEST = 8
_EMPTY_WORDS = re.compile(r"(?i).*\b(todo|tbd|fixme|xxx)\b.*|not needed|unknown|not used|.*待定.*|不需要|暂无|无用")


def spec_valid(stand: Stand) -> Result:
    """Judge what loading the folder told."""
    if stand.faults:
        more = f" … and {len(stand.faults) - _SHOWN} more" if len(stand.faults) > _SHOWN else ""
        return failed("; ".join(map(str, stand.faults[:_SHOWN])) + more)
    source = stand.ready.source
    return passed(f"{len(source.streams)} streams of kind {source.kind}, mapping version {stand.ready.mapping.version}")


def every_field_accounted(stand: Stand) -> Result:
    """Look at the reasons why fields are not read; loading proved already that no field is left over."""
    fields, weak = 0, []
    for name in stand.ready.source.streams:
        mapped = stand.ready.mapping.streams[name]
        fields += len(mapped.schema["properties"])
        for field, reason in mapped.ignore.items():
            if len(reason.encode()) < _SHORTEST or _EMPTY_WORDS.fullmatch(reason.strip()):
                weak.append(f"{name}.{field}: {reason!r}")
    if weak:
        return failed(
            f"ignored without a real reason: {'; '.join(weak[:_SHOWN])}. Say in mapping.yml why each is not read."
        )
    return passed(f"all {fields} fields are mapped, or ignored with a reason")


CHECKS = (
    Check("spec-valid", "source.yml, mapping, code lists and raw schemas load without a fault", "folder", spec_valid),
    Check(
        "every-field-accounted", "every field of the source is mapped, or ignored with a written reason", "folder",
        every_field_accounted,
    ),
)  # fmt: skip
