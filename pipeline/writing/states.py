"""What a batch changed of its stream's state, for the archive: a folder's state names all its files, a batch adds one.

Kept whole with every batch, the states of a folder of some thousand small files took a hundred times the room of what
the files said.
"""

from __future__ import annotations

from typing import Any

from hub import jsontext
from hub.records import Record

MOST_WHOLE = 1024
"""A state of so many bytes is kept whole, so that an archive object tells by itself where its stream stood."""


def kept(before: Record, after: Record) -> dict[str, Any]:
    """Return what an archive object's header says of the state after its batch."""
    if len(jsontext.dumps(after)) <= MOST_WHOLE:
        return {"state_after": after}
    return {"state_change": change(before, after)}


def restored(before: Record, header: dict[str, Any]) -> Record:
    """Return the state after a batch, from the state before it and the header of its archive object."""
    if "state_change" in header:
        return changed(before, header["state_change"])
    whole: Record = header["state_after"]
    return whole


def change(before: Record, after: Record) -> dict[str, Any]:
    """Return what makes `after` of `before`: objects by their members, all else whole."""
    inner: dict[str, Any] = {}
    whole: dict[str, Any] = {}
    for name, value in after.items():
        stood = before.get(name)
        if isinstance(value, dict) and isinstance(stood, dict):
            put = {key: said for key, said in value.items() if key not in stood or stood[key] != said}
            gone = [key for key in stood if key not in value]
            if put or gone:
                inner[name] = {"put": put, "gone": gone}
        elif name not in before or stood != value:
            whole[name] = value
    return {"members": inner, "values": whole, "gone": [name for name in before if name not in after]}


def changed(before: Record, said: dict[str, Any]) -> Record:
    """Return the state that a change makes of `before`; made of the state after it, that very state."""
    gone = set(said["gone"])
    out = {name: value for name, value in before.items() if name not in gone} | dict(said["values"])
    for name, members in said["members"].items():
        lost = set(members["gone"])
        stood = out.get(name, {})
        out[name] = {key: value for key, value in stood.items() if key not in lost} | dict(members["put"])
    return out
