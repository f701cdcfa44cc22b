"""Returns to departments and back: what commands and pages do with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.afterwards import deeds
from pipeline.afterwards.deeds import Deed
from pipeline.runtime import Runtime
from quality.returns import accepted as kept
from quality.returns.forms import signature
from quality.returns.reading import NoReturn
from quality.returns.rows import forms_of, organs_of, rejected
from quality.returns.taking import ACCEPTED, REFUSED, UNTOUCHED, Receipt, TakenBack, take_back
from quality.returns.writing import Writer, file_name
from quality.worklist import log
from quality.worklist.base import source_of

__all__ = [
    "ACCEPTED",
    "REFUSED",
    "UNTOUCHED",
    "NoReturn",
    "Receipt",
    "Returned",
    "TakenBack",
    "give_accepted",
    "give_back",
    "take_back",
]

Progress = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Returned:
    """What one organ gets: its files, and how many rows of each stream or document they hold."""

    source: str
    organ: str
    files: list[Path] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


def give_back(
    runtime: Runtime, source: str, folder: Path, *, actor: str, organ: str | None = None, reveal: bool = False,
    progress: Progress | None = None,
) -> list[Returned]:  # fmt: skip
    """Write the rejected rows of a source, for each of its organs as a workbook, a CSV a stream, and JSON.

    Values that may be a person's are hidden, and may be left so; with `reveal` they are shown, which is logged.

    Raises:
        NotFound: the source is not declared.
        NotDone: a file of this name is there already.
    """
    who, declared = log.known(actor), source_of(runtime, source)
    out = []
    for one in organs_of(runtime, source) if organ is None else [organ]:
        if reveal:
            deeds.write(
                runtime, Deed(who, "reveal", source=source, reason="a return", detail={"source": source, "organ": one})
            )
        counts = {}
        with Writer(folder, source, one, signature(runtime.protector, source, one)) as writer:
            for name, form in forms_of(runtime, declared, one).items():
                if count := writer.stream(form, rejected(runtime, form, reveal=reveal)):
                    counts[name] = count
                if progress is not None:
                    progress(count, name)
            files = writer.finish()
        detail = {"source": source, "organ": one, "rejected": counts}
        deeds.write(runtime, Deed(who, "return", source=source, detail=detail))
        out.append(Returned(source, one, files, counts))
    return out


def give_accepted(
    runtime: Runtime, source: str, folder: Path, *, actor: str, organ: str | None = None, reveal: bool = False,
    progress: Progress | None = None,
) -> list[Returned]:  # fmt: skip
    """Write all that was accepted of a source, for each of its organs, as CSV and JSON lines a document.

    Raises:
        NotDone: a file of this name is there already.
    """
    log.known(actor)
    out = []
    for one in kept.organs_of(runtime, source) if organ is None else [organ]:
        counts = kept.accepted(runtime, source, one, folder, reveal=reveal, actor=actor, progress=progress)
        names = [file_name(source, one, "accepted", name, ending=end) for name in counts for end in ("csv", "jsonl")]
        out.append(Returned(source, one, [folder / name for name in names], counts))
    return out
