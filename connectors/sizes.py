"""How many fields a record really has: those of what lies within its fields count as well."""

from __future__ import annotations

from typing import Any


def fields_of_record(record: dict[str, Any], most: int) -> int:
    """Count the fields of a record and of all that lies in it; an element of a list is one where it is a plain value.

    Counting ends soon after `most`: how far a hostile record goes beyond it costs nothing.
    """
    count = len(record)
    inner = [one for one in record.values() if type(one) is dict or type(one) is list]
    while inner and count <= most:
        value = inner.pop()
        count += len(value)
        inner += [one for one in (value.values() if type(value) is dict else value) if type(one) in (dict, list)]
    return count
