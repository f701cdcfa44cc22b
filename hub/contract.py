"""What a stream does when its source no longer sends what was declared: a mode for each sort of change.

- `evolve` keeps the records and flags the change;
- `quarantine` refuses the records that show it, which wait until the declaration is mended;
- `freeze` stops the stream: nothing of the slice is kept and the cursor stays.

Whichever it is, a change is told once, with its count, and nothing of it is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

Mode = Literal["evolve", "freeze", "quarantine"]
MODES: tuple[str, ...] = get_args(Mode)

RULES: Mapping[str, str] = {"unknown_field": "new", "missing_field": "missing", "changed_type": "type"}
"""The rules that tell of a change, and the part of the contract that says what it does."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The modes for fields that are not declared, declared fields that no longer come, and values of another type.

    A stream that says nothing keeps what it can: a value of another type cannot be vouched for and waits.
    """

    new: Mode = "evolve"
    missing: Mode = "evolve"
    type: Mode = "quarantine"

    @classmethod
    def read(cls, said: str | Mapping[str, str] | None) -> Contract:
        """Read what a stream declares: one word for all three, or a word for each; what is not said has its default.

        Raises:
            ValueError: there is no such mode, or no such part.
        """
        if said is None:
            return cls()
        parts = dict.fromkeys(RULES.values(), said) if isinstance(said, str) else dict(said)
        unknown = [*(set(parts.values()) - set(MODES)), *(set(parts) - set(RULES.values()))]
        if unknown:
            known = f"modes {', '.join(MODES)}; parts {', '.join(RULES.values())}"
            raise ValueError(f"no contract {', '.join(map(repr, sorted(unknown)))}; known: {known}")
        return cls(**cast("dict[str, Any]", parts))

    @classmethod
    def read_first(cls, said: str) -> Contract:
        """Read the one word of version 1: it spoke of new fields only, which `freeze` and `evolve` both flagged."""
        return cls(new="quarantine" if said == "quarantine" else "evolve")

    def mode(self, rule: str) -> Mode:
        """Return the mode for the change that a rule tells of."""
        found: Mode = getattr(self, RULES[rule])
        return found

    def as_dict(self) -> dict[str, str]:
        """Return the modes by part."""
        return {"new": self.new, "missing": self.missing, "type": self.type}

    def __str__(self) -> str:
        return ", ".join(f"{part}: {mode}" for part, mode in self.as_dict().items())
