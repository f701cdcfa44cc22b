"""How a request names one option of a check of prerequisites: by its places in the answer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from hub.refusals import Fault, Malformed
from verification.questions import Organ
from verification.rules.words import Place


def _number(said: object) -> object:
    """Refuse what is no number as JSON has them: 1.0 is one."""
    if isinstance(said, bool | str):
        raise PydanticCustomError("int_type", "is no number")
    return said


Where = Annotated[int, BeforeValidator(_number), Field(ge=0, le=1_000)]
_TOGETHER: dict[str, Any] = {"anyOf": [
    {"required": ["group", "option"], "properties": {"group": {"type": "integer"}, "option": {"type": "integer"}}},
    {"properties": {"group": {"type": "null"}, "option": {"type": "null"}}},
]}  # fmt: skip


class Naming(BaseModel):
    """Whom to ask, and of prerequisites about which option; each only where there is more than one that it could be."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_TOGETHER)

    issuer: Organ | None = None
    """The department: where the check names none, and several are known to issue this, or none is."""
    group: Where | None = None
    """The place of the group in the answer's `groups`, from 0 on."""
    option: Where | None = None
    """The place of the option in the group's `options`, from 0 on."""


def place_of(said: Naming, what: str) -> Place | None:
    """Return the option that is named, if one is.

    Raises:
        Malformed: only one half of it is named; `what` says what so cannot be done.
    """
    if said.group is not None and said.option is not None:
        return said.group, said.option
    if said.group is None and said.option is None:
        return None
    fault = Fault("option" if said.option is None else "group", "missing", "group and option are named together")
    raise Malformed(what, hint="Mend the field.", faults=[fault])
