"""The JSON schema of OCEL 2.0 as its makers publish it (ocel20-schema-json.json, draft 7), built from its parts."""

from __future__ import annotations

from typing import Any


def _listed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "properties": properties, "required": required}}


_TEXT: dict[str, Any] = {"type": "string"}
_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
_TYPES = _listed(["name", "attributes"], name=_TEXT, attributes=_listed(["name", "type"], name=_TEXT, type=_TEXT))
_BOUND = _listed(["objectId", "qualifier"], objectId=_TEXT, qualifier=_TEXT)

SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "eventTypes": _TYPES,
        "objectTypes": _TYPES,
        "events": _listed(
            ["id", "type", "time"], id=_TEXT, type=_TEXT, time=_TIME, relationships=_BOUND,
            attributes=_listed(["name", "value"], name=_TEXT, value=_TEXT),
        ),
        "objects": _listed(
            ["id", "type"], id=_TEXT, type=_TEXT, relationships=_BOUND,
            attributes=_listed(["name", "value", "time"], name=_TEXT, value=_TEXT, time=_TIME),
        ),
    },
    "required": ["eventTypes", "objectTypes", "events", "objects"],
}  # fmt: skip
