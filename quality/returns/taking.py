"""Takes a return back: each row is checked, judged and told what became of it; what passes is a correction.

The department proposes by sending the row back, who runs the take-back approves: four eyes, and the log says so. The
rows of one stream are applied in one transaction, all that pass or none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.source import Source
from hub.errors import RefuseUnit, RepositoryError
from hub.findings import rule
from normalization.model import StreamMapping
from pipeline.afterwards import deeds, mending
from pipeline.afterwards.deeds import Deed
from pipeline.pulls import snapshots
from pipeline.pulls.exchange import opened
from pipeline.pulls.mapped import mapping_of
from pipeline.runtime import Runtime
from pipeline.work import Line, Work
from quality.returns import forms, reading
from quality.returns.forms import Form
from quality.returns.reading import NoReturn, Raw
from quality.returns.rows import forms_of
from quality.worklist import log
from quality.worklist.base import Base, base_of, source_of
from quality.worklist.corrections import WAIT, fitted, made, mind_identity
from quality.worklist.errors import NotDone
from quality.worklist.opened import HIDDEN, names_of
from sharedrepo.staging import stage
from sharedrepo.worklist import waiting
from sharedrepo.writing.known import Register

ACCEPTED, REFUSED, UNTOUCHED = "accepted", "refused", "untouched"
REASON = "corrected by the department in its return"
_SETTLED = "the row is settled already ({state})"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one row of a return, and all reasons where it was refused; never a value."""

    sheet: str
    row: int
    entry: int | None
    outcome: str
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class TakenBack:
    """What became of a return: for whom it was made, a receipt a row in the file's order, and what was merged."""

    source: str
    organ: str
    receipts: list[Receipt] = field(default_factory=list)
    records: Counter[str] = field(default_factory=Counter)

    @property
    def counts(self) -> dict[str, int]:
        """Count the receipts by outcome."""
        found = Counter(one.outcome for one in self.receipts)
        return {name: found[name] for name in (ACCEPTED, REFUSED, UNTOUCHED)}


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that may be applied: the record that it is of, and what it changes."""

    raw: Raw
    base: Base
    changes: dict[str, Any]


def take_back(
    runtime: Runtime, file: Path, *, actor: str, progress: Callable[[int, str], None] | None = None
) -> TakenBack:
    """Take a corrected return back; return a receipt for each of its rows.

    Raises:
        NoReturn: the file is refused whole: it cannot be read, or this hub did not make it for a department.
        SourceBusy: a pull of the source runs and did not end in time; nothing was applied.
    """
    who = log.known(actor)
    came = reading.read(file, runtime.protector)
    try:
        raws = list(came.rows)
    except RefuseUnit as error:
        raise NoReturn(f"the file is refused whole: {error.got}.") from None
    first = next((one.cells for one in raws if forms.TOKEN in one.cells), {})
    source = came.source or first.get(forms.SOURCE, "")
    organ = came.organ if came.source else first.get(forms.ORGAN, "")
    if not source:
        raise NoReturn("no row of the file names the source that it was made of; it is no return.")
    out = TakenBack(source, organ)
    declared = source_of(runtime, source)
    if who == proposer(organ):
        raise NotDone("a department does not take its own return back: another person approves it.")
    _Taking(runtime, declared, out, who, progress).run(raws, came.headers)
    return out


def proposer(organ: str) -> str:
    """Return the name under which a department proposes what it sends back."""
    return f"department:{organ or 'unnamed'}"


class _Taking:
    """One take-back under work."""

    def __init__(
        self, runtime: Runtime, source: Source, out: TakenBack, actor: str,
        progress: Callable[[int, str], None] | None,
    ) -> None:  # fmt: skip
        self._runtime, self._source, self._out, self._actor, self._progress = runtime, source, out, actor, progress
        self._forms = forms_of(runtime, source, out.organ)
        self._told: dict[tuple[str, int], Receipt] = {}

    def run(self, raws: Sequence[Raw], headers: Mapping[str, tuple[str, ...]]) -> None:
        """Check all rows, apply those that pass, stream by stream, and put the receipts in the file's order."""
        times = Counter(one.cells.get(forms.ENTRY, "") for one in raws if forms.TOKEN in one.cells)
        mapping = mapping_of(self._runtime, self._source)
        by_stream: dict[str, list[_Row]] = {}
        for raw in raws:
            row = self._checked(raw, headers, times, mapping.streams)
            if row is not None:
                by_stream.setdefault(row.base.stream, []).append(row)
        if by_stream:
            snapshots.keep(self._runtime, mapping, self._source.mapping)
            with opened(self._runtime, self._source, mapping, wait=WAIT) as work:
                for stream, rows in by_stream.items():
                    self._apply(work, work.lines[stream], rows)
        self._out.receipts = [self._told[one.sheet, one.row] for one in raws]

    def _tell(self, raw: Raw, outcome: str, *reasons: str) -> None:
        entry = raw.cells.get(forms.ENTRY, "")
        number = int(entry) if entry.isdecimal() and len(entry) < 19 else None  # noqa: PLR2004  # digits of a bigint
        self._told[raw.sheet, raw.row] = Receipt(raw.sheet, raw.row, number, outcome, reasons)

    def _template(self, raw: Raw, headers: Mapping[str, tuple[str, ...]]) -> str | None:
        """Say why the columns above a row are not those of its stream's present form."""
        header, form = headers.get(raw.sheet), self._forms.get(raw.cells.get(forms.STREAM, ""))
        if header is None or form is None or header == form.columns:
            return None  # a stream that is none is a changed name, which the token tells
        lost, more = set(form.columns) - set(header), set(header) - set(form.columns)
        said = "; ".join(
            f"{word}: {', '.join(sorted(names))}" for word, names in (("missing", lost), ("unknown", more)) if names
        )
        return f"wrong template, the columns are not those of the present form ({said or 'another order'})"

    def _checked(
        self, raw: Raw, headers: Mapping[str, tuple[str, ...]], times: Counter[str], streams: Any
    ) -> _Row | None:
        """Return a row that may be applied; tell of any other."""
        reasons = list(raw.refused)
        if wrong := self._template(raw, headers):
            reasons.append(wrong)
        if not reasons:
            reasons += self._who(raw, times)
        if reasons:
            self._tell(raw, REFUSED, *reasons)
            return None
        try:
            base = base_of(self._runtime, int(raw.cells[forms.ENTRY]))
        except (NotDone, RepositoryError):
            self._tell(raw, REFUSED, "there is no such row any more")
            return None
        if reason := self._foreign(raw, base):
            self._tell(raw, REFUSED, reason)
            return None
        return self._changed(raw, base, streams[base.stream])

    def _who(self, raw: Raw, times: Counter[str]) -> list[str]:
        """Say what is wrong with the columns that name a row."""
        cells, entry = raw.cells, raw.cells.get(forms.ENTRY, "")
        missing = [name for name in forms.NAMED if name not in cells]
        if missing:
            return [f"the row does not name itself: {', '.join(missing)} missing"]
        reasons = []
        if cells[forms.SOURCE] != self._out.source or cells[forms.ORGAN] != self._out.organ:
            reasons.append("the row is another department's")
        if not entry.isdecimal() or len(entry) > 18:  # noqa: PLR2004  # digits of a bigint
            reasons.append("the entry's number was changed")
        elif times[entry] > 1:
            reasons.append(f"the row stands {times[entry]} times in the file; which one is meant?")
        return reasons

    def _foreign(self, raw: Raw, base: Base) -> str | None:
        """Say why a row is not the one that the hub sent: its token was made for all that names it."""
        cells = raw.cells
        made_for = forms.token(
            self._runtime.protector, base.source, cells[forms.ORGAN], base.stream, base.number, base.key, base.received
        )
        named = (cells[forms.SOURCE], cells[forms.STREAM], cells[forms.KEY])
        if not forms.same(cells[forms.TOKEN].strip(), made_for) or named != (base.source, base.stream, base.key):
            return "what names the row was changed, or the hub did not send it"
        if base.kind != "quarantined" or not base.is_open:
            return _SETTLED.format(state=base.state)
        return None

    def _changed(self, raw: Raw, base: Base, mapping: StreamMapping) -> _Row | None:
        """Return a row with what it changes; one that changes nothing stays as it was."""
        try:
            changes = _changes(raw, base, self._forms[base.stream])
            if not changes:
                self._tell(raw, UNTOUCHED)
                return None
            return _Row(raw, base, fitted(mapping, base, changes))
        except NotDone as error:
            self._tell(raw, REFUSED, str(error))
            return None

    def _apply(self, work: Work, line: Line, rows: Sequence[_Row]) -> None:
        """Judge the rows of one stream, and apply those that pass in one transaction."""
        ready: list[tuple[_Row, mending.Correction]] = []
        with work.connection.cursor() as cursor:
            waiters = {one.waiting_id: one for one in waiting.open_entries(cursor, [row.base.number for row in rows])}
            for row in rows:
                wanted = self._wanted(work, line, row, waiters.get(row.base.number))
                if wanted is not None:
                    ready.append((row, wanted))
            refused = mending.judge(line.desk, Register(cursor, line.stream_id), [one for _row, one in ready])
            work.connection.commit()
        for place, why in refused.items():
            self._tell(ready[place][0].raw, REFUSED, *_reasons(why))
        ready = [one for place, one in enumerate(ready) if place not in refused]
        loaded, refused = mending.apply(work, line, [one for _row, one in ready], self._log(ready))
        for place, (row, _wanted) in enumerate(ready):
            if place in refused:
                self._tell(row.raw, REFUSED, *_reasons(refused[place]))
            else:
                self._tell(row.raw, ACCEPTED)
        if loaded is not None:
            self._out.records += loaded.counts
        if self._progress is not None:
            self._progress(len(rows), line.spec.name)

    def _wanted(self, work: Work, line: Line, row: _Row, waiter: waiting.Released | None) -> mending.Correction | None:
        if waiter is None:
            self._tell(row.raw, REFUSED, _SETTLED.format(state="just now"))
            return None
        by, approved = (proposer(self._out.organ), work.read_at), (self._actor, work.read_at)
        try:
            wanted = made(row.base, row.changes, reason=REASON, by=by, approved=approved, number=None, waiter=waiter)
            mind_identity(line.desk, row.base, wanted.record)
        except NotDone as error:
            self._tell(row.raw, REFUSED, str(error))
            return None
        return wanted

    def _log(self, ready: Sequence[tuple[_Row, mending.Correction]]) -> mending.Also:
        """Return what writes, in the batch's transaction, who proposed and who approved each row."""
        by = {"proposed_by": proposer(self._out.organ)}

        def write(cursor: stage.Cursor, places: Iterable[int]) -> None:
            bases = [ready[place][0].base for place in places]
            told = [Deed(self._actor, "take_back", **names_of(one), reason=REASON, detail=by) for one in bases]
            deeds.within(cursor, self._runtime, told)

        return write


def _changes(raw: Raw, base: Base, form: Form) -> dict[str, Any]:
    """Return the fields that a row says otherwise than the record, by name.

    Raises:
        NotDone: a value was spoiled by a spreadsheet program.
    """
    record = base.record or {}
    if raw.record is not None:
        return {
            name: value for name, value in raw.record.items()
            if value not in (HIDDEN, forms.TOO_LONG) and (name in record or value is not None)
            and value != record.get(name)
        }  # fmt: skip
    changes: dict[str, Any] = {}
    for name in form.fields:
        cell, original = raw.cells.get(name, ""), record.get(name)
        if forms.untouched(cell, original):
            continue
        if forms.spoiled(cell, original):
            raise NotDone(f"the value of {name} was rounded by a spreadsheet program; format the column as text.")
        changes[name] = cell if cell.strip() else None
    return changes


def _reasons(why: mending.Refusal) -> list[str]:
    """Say why a row does not pass, and all that is wrong with it, in Chinese and English."""
    told = [why.why]
    for one in why.findings:
        said = rule(one.rule)
        detail = "; ".join(f"{name}: {text}" for name, text in one.detail.items())
        place = (one.pointer or one.field or "").lstrip("/")
        told.append(f"{place}: {said.title_zh} {said.title}" + (f" ({detail})" if detail else ""))
    return told
