"""Why a deed on the work list was not done; each says what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.errors import HubError


class NotDone(HubError):
    """The deed does not fit what it was to be done to; nothing was changed."""

    exit_status = 2


class NotFound(NotDone):
    """There is no such entry, record or proposal."""


class CorrectionRefused(NotDone):
    """A record as corrected does not pass: `findings` is all that is wrong with it, without values."""

    def __init__(self, why: str, findings: Sequence[dict[str, Any]] = ()) -> None:
        self.why, self.findings = why, list(findings)
        told = "".join(
            f"\n- {one['field'] or 'the record'} ({one['pointer'] or 'no place'}): {one['title']} [{one['rule']}]"
            + (f", {_words(one['detail'])}" if one["detail"] else "")
            for one in self.findings
        )
        super().__init__(f"{why}; nothing was changed.{told}")


def _words(detail: dict[str, str]) -> str:
    return "; ".join(f"{name}: {said}" for name, said in detail.items())
