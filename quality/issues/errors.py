"""What can be wrong with a deed on an issue; each says the next step."""

from __future__ import annotations

from hub.errors import HubError
from hub.sentences import sentence


class NoSuchIssue(HubError):
    """No issue has this code."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(
            sentence(
                "no issue {code!r}. `hub quality issues list` shows those that are open, with their codes.", code=code
            )
        )


class DeedDoesNotFit(HubError):
    """What was asked cannot be done to the issue as it stands; nothing was changed."""

    def __init__(self, code: str, got: str, next_step: str) -> None:
        self.code, self.got = code, got
        super().__init__(sentence("issue {code}: {got}. {next_step}", code=code, got=got, next_step=next_step))
