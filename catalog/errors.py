"""What can be wrong with a deed on the catalogue; each error lists all that is wrong and says the next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.errors import HubError
from hub.sentences import Several, sentence


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an item's content: where (JSON pointer), which rule, and what was found."""

    pointer: str
    rule: str
    said: str


class ContentRefused(HubError):
    """The content of a version breaks its contract or contradicts itself; nothing was written."""

    exit_status = 65

    def __init__(self, code: str, faults: Sequence[Fault]) -> None:
        self.code, self.faults = code, tuple(faults)
        listed = Several(sentence("{place}: {said}", place=one.pointer or "/", said=one.said) for one in faults)
        super().__init__(
            sentence("item {code}: {listed}. Mend all of it, then send the content again.", code=code, listed=listed)
        )


class DeedRefused(HubError):
    """The deed does not fit the item as it stands, or is another seat's; nothing was changed."""

    def __init__(self, code: str, got: str, next_step: str) -> None:
        self.code, self.got = code, got
        super().__init__(sentence("item {code}: {got}. {next_step}", code=code, got=got, next_step=next_step))


class NoSuchItem(HubError):
    """No item has this number."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(
            sentence("no item {code!r} in the catalogue. `hub catalog list` shows those that there are.", code=code)
        )


class NumberTaken(HubError):
    """The number stands for another item already; a number is never given twice."""

    def __init__(self, code: str, holder: str) -> None:
        self.code, self.holder = code, holder
        super().__init__(
            sentence(
                "number {code!r} stands for item {holder!r} already, and a number is never given twice. "
                "Give another number, or change that item.",
                code=code,
                holder=holder,
            )
        )


class Cycle(HubError):
    """Items would be prerequisites of each other, so that none could ever be granted; nothing was written."""

    exit_status = 65

    def __init__(self, codes: Sequence[str]) -> None:
        self.codes = tuple(codes)
        super().__init__(
            sentence(
                "items are prerequisites of each other: {codes}. Take one of these requirements out.",
                codes=" → ".join(codes),
            )
        )


class TooMuchToDraw(HubError):
    """An item rests on so much that nobody could read the picture; the list of its prerequisites says the same."""

    def __init__(self, most: int) -> None:
        super().__init__(
            sentence(
                "the picture would have more than {most:,} parts. See the list of prerequisites instead.", most=most
            )
        )


class FileRefused(HubError):
    """A file cannot be taken in as a whole; nothing of it was."""

    exit_status = 65

    def __init__(self, name: str, got: str, next_step: str) -> None:
        super().__init__(f"file {name}: {got}. {next_step}")


class ImportRefused(HubError):
    """Some entries of an import are wrong; nothing of it was taken in, unless those are left out on purpose."""

    exit_status = 65

    def __init__(self, refused: int, entries: int) -> None:
        super().__init__(
            f"{refused} of {entries} entries are refused, so that nothing was taken in. `--dry-run` lists why; mend "
            "them, or take the others in with `--skip-refused`."
        )
