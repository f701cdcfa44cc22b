"""What is computed in sets for many cases is what walking the calendar day by day gives for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.workdays import local_day
from supervision.clock import known
from supervision.clock.service import recount
from supervision.clock.walking import Walk, Walker
from tests.supervision.world import World, at

NOW = "2027-06-15 14:20"
"""After all that is drawn: an open pause has lasted for long."""
_FIRST = datetime(2025, 9, 20, 8, 0)  # noqa: DTZ001  # the province's; the writer of cases adds the zone


def instants(most_days: int = 120) -> st.SearchStrategy[str]:
    """Instants around National Day 2025, New Year and Spring Festival 2026, and where years are not published."""
    return st.builds(
        lambda start, days, minutes: str(start + timedelta(days=days, minutes=minutes))[:16],
        st.sampled_from([_FIRST, datetime(2025, 12, 20, 8), datetime(2026, 2, 1, 8), datetime(2026, 11, 20, 8)]),  # noqa: DTZ001  # as above
        st.integers(0, most_days), st.integers(0, 900),
    )  # fmt: skip


def later(start: str, days: int, minutes: int) -> str:
    return str(datetime.fromisoformat(start) + timedelta(days=days, minutes=minutes))[:16]


LIMITS = st.one_of(
    st.none(),
    st.builds("{} working_day".format, st.integers(-1, 40)), st.builds("{} calendar_day".format, st.integers(1, 60)),
    st.builds("{} month".format, st.integers(1, 4)), st.just("1 year"),
    st.builds("{} hour".format, st.integers(1, 200)), st.sampled_from(["10000 working_day", "5 fortnight"]),
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """What an item says."""

    promised: str | None
    legal: str | None
    kind: str
    counted_from: str
    stage: str | None


ITEMS = st.builds(
    Item, LIMITS, LIMITS, st.sampled_from(["promised", "promised", "immediate"]),
    st.sampled_from(["acceptance", "receipt"]), LIMITS,
)  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    applied = draw(st.one_of(st.none(), instants(), instants()))
    start = applied or draw(instants())
    accepted = draw(
        st.one_of(st.none(), st.builds(lambda d, m: later(start, d, m), st.integers(-1, 15), st.integers(0, 600)))
    )
    spread = st.builds(lambda d, m: later(start, d, m), st.integers(0, 60), st.integers(0, 900))
    ordered = spread.flatmap(
        lambda s: st.tuples(st.just(s), st.builds(lambda d, m: later(s, d, m), st.integers(0, 20), st.integers(0, 900)))
    )
    pause = st.one_of(
        st.tuples(spread, st.none()), st.tuples(st.none(), spread), st.tuples(spread, spread), ordered, ordered, ordered
    )
    extension = st.fixed_dictionaries({
        "started_at": st.one_of(spread, spread, spread, st.none()),
        "allowed_value": st.one_of(
            st.integers(1, 20), st.integers(1, 20), st.none(), st.sampled_from([0, 2_000_000_000])
        ),
        "allowed_unit": st.sampled_from(["working_day", "working_day", None, "calendar_day", "month", "hour"]),
        "approver_hash": st.sampled_from([b"\x01", b"\x01", b"\x01", None]),
    })  # fmt: skip
    told = st.one_of(st.tuples(spread, st.none()), st.tuples(st.none(), spread), st.tuples(spread, spread))
    return {
        "applied": applied, "accepted": accepted, "kind": draw(st.sampled_from([None, "promised", "immediate"])),
        "closed": draw(st.one_of(st.none(), spread, st.builds(lambda d: later(start, d, 1), st.integers(-2, 90)))),
        "outcome": draw(st.sampled_from(["granted", "refused"])),
        "pauses": draw(st.lists(pause, max_size=4)), "extensions": draw(st.lists(extension, max_size=2)),
        "supplements": draw(st.lists(told, max_size=2)), "not_accepted": draw(st.sampled_from([False] * 6 + [True])),
        "parallel": draw(st.booleans()),
    }  # fmt: skip


@settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
@given(st.lists(st.tuples(ITEMS, st.lists(cases(), min_size=4, max_size=10)), min_size=2, max_size=6))
def test_clocks_computed_in_sets_are_those_walked_day_by_day(
    world: World, drawn: list[tuple[Item, list[dict[str, Any]]]]
) -> None:
    written, wrong = [], []
    for item, said in drawn:
        code = f"item-{next(_NUMBERS)}"
        content: dict[str, Any] = {"kind": item.kind, "counted_from": item.counted_from}
        world.item(code, promised=item.promised, legal=item.legal, **content)
        written += [world.case(f"P{next(_NUMBERS)}", item=code, **one) for one in said]
    with world.engine.begin() as connection:
        recount(connection, written)
    with world.engine.begin() as connection:
        days = known.calendar_days(connection, "")
        for case_id in written:
            walker = Walker(known.facts_of(connection, case_id), days)
            row = world.clock(case_id, view="clock")
            got, want = stored(row), walked_to(walker.walk())
            if walker.open_since is not None and want["why"] is None and not walker.facts.not_accepted:
                now, stands = world.clock(case_id, NOW), walker.stands_at(at(NOW))  # type: ignore[arg-type]  # it is said
                got["stands"] = (now["due_at"], now["legal_due_at"])
                want["stands"] = (stands.due_at, stands.legal_due_at)
            wrong += [(known.facts_of(connection, case_id), got, want)] if got != want else []
    told = [
        f"{facts}\n{ {name: (got[name], want[name]) for name in got if got[name] != want[name]} }"
        for facts, got, want in wrong
    ]
    assert not told, "\n\n".join(told)


def stored(row: dict[str, Any]) -> dict[str, Any]:
    """What the table says."""
    names = ("why", "basis", "deemed", "started_at", "due_at", "legal_due_at", "provisional", "paused_since", "verdict")
    notes = {"acceptance_from_stage", "extension_after_due", "pause_after_due"}
    return {
        **{name: row[name] for name in (*names, "used_days")}, "extended": row["extended_days"] or 0,
        "notice_due": row["notice_due_at"] and local_day(row["notice_due_at"]),
        "delivery_due": row["delivery_due_at"] and local_day(row["delivery_due_at"]),
        "notes": sorted(notes & set(row["notes"])),
    }  # fmt: skip


def walked_to(walk: Walk) -> dict[str, Any]:
    """What the walk found, in the same words."""
    names = ("why", "basis", "deemed", "due_at", "legal_due_at", "provisional", "paused_since", "verdict", "used_days")
    return {
        **{name: getattr(walk, name) for name in (*names, "extended", "notice_due", "delivery_due")},
        "started_at": None if walk.why else walk.started_at, "notes": sorted(walk.notes),
    }  # fmt: skip


_NUMBERS = iter(range(1, 1_000_000))
