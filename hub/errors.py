"""The hub's own troubles. An error's type says what to do next:

HubError
├── RetrySource      wait and try again: the source is busy, cut off or slow
├── StopSource       a person must act before this source can be read
│   ├── SourceUnreachable, WrongCredentials, StreamMissing, SchemaMismatch, ContractBroken, StateTooLarge
├── RefuseUnit       this delivered file, page or snapshot is refused whole; the rest goes on
│   ├── TruncatedUnit, WrongEncoding, WrongTemplate, HostileInput
├── ConfigError      a file that a person wrote is wrong; every fault is listed with file and line
├── SourceBusy       another pull of this source is running
├── RepositoryError  the repository or its keys are not as they must be; nothing was changed
└── InternalError    our own fault; never billed to a department

What is wrong with *data* is no exception but a `hub.findings.Finding`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.findings import UNIT, Finding
from hub.records import Enveloped
from hub.sentences import sentence


class HubError(Exception):
    """An error of the hub that words its own sentence and its next step."""

    exit_status = 1

    @property
    def sentence(self) -> str:
        """Return the sentence as it was worded, so that a page can say it in its reader's language."""
        first = self.args[0] if self.args else ""
        return first if isinstance(first, str) else str(self)


class SourceTrouble(HubError):
    """A trouble with one source; carries what was got, what is known and what to do."""

    next_step = "See `hub source check CODE`."

    def __init__(
        self,
        *,
        source: str,
        stream: str | None = None,
        got: str,
        known: str = "",
        hint: str = "",
        unit: str | None = None,
    ) -> None:
        self.source, self.stream, self.got, self.known, self.hint, self.unit = source, stream, got, known, hint, unit
        place = f"source {source}" + (f", stream {stream}" if stream else "") + (f", {unit}" if unit else "")
        sentence = f"{place}: {got}"
        if known:
            sentence += f" (known: {known})"
        super().__init__(f"{sentence}. {hint or self.next_step}")


class RetrySource(SourceTrouble):
    """The source is busy, cut off or slow: nothing of the slice was kept, the cursor stays; try again."""

    exit_status = 75
    next_step = "Nothing of this slice was kept and the cursor stays; the next pull tries again."

    def __init__(self, *, after_seconds: float | None = None, **facts: str | None) -> None:
        self.after_seconds = after_seconds
        super().__init__(**facts)  # type: ignore[arg-type]  # the facts are those of SourceTrouble


class StopSource(SourceTrouble):
    """A person must act before this source can be read again."""

    exit_status = 78


class SourceUnreachable(StopSource):
    """Nothing answers at the source's address."""

    next_step = "Check that the department's system is running and that its address in the connection is right."


class WrongCredentials(StopSource):
    """The source refuses our name or password."""

    next_step = "Ask the department for valid credentials and set them in the connection."


class StreamMissing(StopSource):
    """The source has no such table, file pattern or endpoint."""

    next_step = "Compare `options` of this stream in source.yml with `hub source check CODE`."


class SchemaMismatch(StopSource):
    """The source has the stream, but without the columns that its declaration needs."""

    next_step = "Compare the stream's schema with the department's system; if it changed, mend schema and mapping."


class StateTooLarge(StopSource):
    """What the hub would have to remember of a stream between two pulls has outgrown its limit."""

    next_step = "Let fewer files lie there: `afterwards: move`, a narrower `path`, or a tidier folder."


class ContractBroken(StopSource):
    """The source sends another shape than declared, and its stream's contract is to stop over that."""

    next_step = (
        "Nothing of this slice was kept and the cursor stays. Ask the department whether its system changed; mend the "
        "stream's schema and mapping (or let its `contract` keep or quarantine such changes), then pull again."
    )


class RefuseUnit(SourceTrouble):
    """One delivered file, page or snapshot is refused whole; it waits in the archive and the rest goes on."""

    rule = "unreadable_record"
    next_step = "Ask the department to send it again."
    left_waiting = False
    """Whether the unit was left at its source and everything else was handed over: then the pull is over in order."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what is wrong with the unit, for the steward."""
        return (Finding(UNIT, self.rule, detail={"got": self.got, "known": self.known}),)

    @property
    def envelope(self) -> Enveloped | None:
        """Return what its envelope says, where it has one that can be read; nothing of it is proven."""
        return None


class TruncatedUnit(RefuseUnit):
    """The file or page ends before it should."""

    rule = "truncated_file"


class WrongEncoding(RefuseUnit):
    """The bytes are not text in the declared encoding."""

    rule = "wrong_encoding"
    next_step = "Ask the department for the declared encoding, or mend `encoding` in source.yml."


class WrongTemplate(RefuseUnit):
    """The workbook is not filled in the template that the hub makes for this source now."""

    rule = "wrong_template"
    next_step = "Have the rows copied into the present template and sent again."


class HostileInput(RefuseUnit):
    """The input breaks a limit that no honest input reaches, or tries to reach outside its folder."""

    rule = "hostile_input"
    next_step = "Look at the file by hand before anything else reads it."


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of a file that a person wrote."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class ConfigError(HubError):
    """A configuration file is wrong; all faults are listed, in file and line order."""

    exit_status = 78

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        count = len(self.faults)
        super().__init__("\n".join([f"{count} fault{'s' if count != 1 else ''} found:", *map(str, self.faults)]))


class SourceBusy(HubError):
    """Another pull of this source is running; it would be unsafe to run two."""

    exit_status = 75

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(
            sentence("source {source}: another pull is running. Wait for it to end, then pull again.", source=source)
        )


class RepositoryError(HubError):
    """The repository, its archive or its keys are not as they must be; nothing was changed."""


class InternalError(HubError):
    """A fault of the hub itself; it is never billed to a department."""

    exit_status = 70
