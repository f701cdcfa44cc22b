"""What goes wrong; the tree stands at the head of the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a question: at which field, a stable code, a few words."""

    field: str
    code: str
    said: str


class HubProblem(Exception):
    """The hub did not do what was asked; says what it said and what to do next."""

    next_step = "See docs/verify."

    def __init__(
        self, got: str, *, hint: str = "", status: int | None = None, code: str = "", request: str = "",
        faults: Sequence[Fault] = (), after_seconds: float | None = None,
    ) -> None:  # fmt: skip
        self.got, self.hint, self.status = got, hint or self.next_step, status
        self.code, self.request, self.faults, self.after_seconds = code, request, tuple(faults), after_seconds
        fields = "; ".join(f"{one.field}: {one.said} ({one.code})" for one in self.faults)
        number = f" (request {request})" if request else ""
        super().__init__(f"{got}{': ' + fields if fields else ''}. {self.hint}{number}")


class BadQuestion(HubProblem):
    """The question cannot be read or contradicts itself."""

    next_step = "Mend the fields that are named."


class NotAdmitted(HubProblem):
    """The client's code or secret are wrong, expired or revoked."""

    next_step = "Ask the hub's operators for a new secret (`hub client new`)."


class NotGranted(HubProblem):
    """Neither a sharing class nor a grant lets the organ see this for this purpose."""

    next_step = "Ask for a grant (`hub share ask`)."


class NotThere(HubProblem):
    """There is no such check of your organ, or no such item."""

    next_step = "Compare the number with the one that the hub gave."


class TryLater(HubProblem):
    """The hub is busy or was not reached; nothing was lost, the same question may be sent again."""

    next_step = "Ask again later, with the same key."


class NotProven(HubProblem):
    """A receipt or a notice does not prove what it says."""

    next_step = "Rely on nothing of it; read the check again by its number, and tell the hub's operators."
