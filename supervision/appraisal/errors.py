"""What can be wrong with an appraisal; each error says what was got, what is known and the next step."""

from __future__ import annotations

from hub.errors import HubError
from hub.sentences import sentence


class AppraisalRefused(HubError):
    """The deed does not fit the month as it stands; nothing was changed."""

    def __init__(self, month: str, got: str, next_step: str) -> None:
        self.month, self.got = month, got
        super().__init__(sentence("appraisal {month}: {got}. {next_step}", month=month, got=got, next_step=next_step))


class InputsRefused(HubError):
    """Frozen inputs are not those that were frozen, or cannot be read; nothing was counted from them."""

    exit_status = 65

    def __init__(self, file: str, got: str, *, line: int | None = None, next_step: str = "") -> None:
        self.file, self.line, self.got = file, line, got
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {got}. {next_step or 'Fetch the inputs again where they were published.'}")


class EntryRefused(HubError):
    """What a person enters is wrong; all faults are listed, nothing was written."""

    exit_status = 65
