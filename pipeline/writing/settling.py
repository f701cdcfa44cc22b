"""At the end of a delivered unit: declared totals are compared, what an earlier delivery left open is closed."""

from __future__ import annotations

from connectors.totals import count_totals
from hub.findings import Finding
from hub.records import Slice
from pipeline.work import Line, Work
from sharedrepo.feeds import units
from sharedrepo.staging import stage
from sharedrepo.writing import findings
from validation.volume import judge_totals, judge_volume


def holds(line: Line, piece: Slice) -> bool:
    """Say whether this slice's unit is far smaller than the stream expects, so that nothing of it may be published.

    An empty pull of a source that does not deliver in units is silence, which `units.finish` judges.
    """
    expect, unit = line.spec.expect, piece.unit
    if expect is None or expect.least is None or unit is None or unit.rows is None:
        return False
    return unit.rows < expect.least and (unit.rows > 0 or line.in_units)


def settle(cursor: stage.Cursor, work: Work, line: Line, piece: Slice, batch_id: int) -> None:
    """Count a slice towards its unit; where the unit ends, settle it."""
    unit = piece.unit
    if unit is None or not unit.name:
        return
    line.totals.update(counted(work, line, piece))
    if not piece.unit_ends:
        return
    units.supersede(cursor, stream_id=line.stream_id, unit=unit.name, batch_id=batch_id)
    found = list(judge_totals(unit.declared, line.totals))
    if unit.rows is not None:
        volume = judge_volume(line.spec.expect, unit.rows)
        found += [volume] if volume is not None and volume.rule == "volume_above" else []
    write(cursor, line, batch_id=batch_id, unit=unit.name, found=found)
    line.totals.clear()


def counted(work: Work, line: Line, piece: Slice) -> dict[str, int]:
    """Count what a slice holds of the totals that its unit declares."""
    if piece.counted is not None:
        return dict(piece.counted)
    if piece.unit is None or not piece.unit.declared:
        return {}
    found = count_totals(work.source, line.spec, piece)
    return {name: found[name] for name in piece.unit.declared if found[name]}


def write(cursor: stage.Cursor, line: Line, *, batch_id: int, unit: str, found: list[Finding]) -> None:
    """Write findings that speak about a whole unit."""
    placed = [findings.Placed(one, None, unit, None, None) for one in found]
    findings.write(cursor, stream_id=line.stream_id, batch_id=batch_id, judged=[], placed=placed)
