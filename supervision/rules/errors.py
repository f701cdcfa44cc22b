"""What can be wrong with a rule; each says the next step."""

from __future__ import annotations

from collections.abc import Sequence

from hub.errors import HubError


class NoSuchRule(HubError):
    """No rule of supervision has this code."""

    def __init__(self, code: str, known: Sequence[str]) -> None:
        self.code = code
        super().__init__(f"no rule {code[:60]!r}; there are: {', '.join(known)}. See `hub supervise rules list`.")


class BadRule(HubError):
    """A rule cannot be as it was asked for; nothing was changed."""

    exit_status = 2

    def __init__(self, code: str, faults: Sequence[str]) -> None:
        self.code, self.faults = code, tuple(faults)
        super().__init__(f"rule {code[:60]}: {'; '.join(faults)}. See docs/supervise/rules.md.")
