"""Compiled JSON Schema validators, whose patterns are read by one engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs


def screen(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Compile a schema; its patterns are of the restricted vocabulary, which needs no looking around and no memory.

    The engine that jsonschema-rs takes by default, for what needs these, finds `A` in `[A-Z]+a?[A-Z]+`, where two
    letters are the least (jsonschema-rs 0.60, fancy-regex). This one does not, and needs linear time whatever the text.
    """
    return jsonschema_rs.Draft202012Validator(dict(schema), pattern_options=jsonschema_rs.RegexOptions())
