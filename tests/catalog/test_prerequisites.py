"""What an item rests on: the graph, its cycles and its picture."""

from __future__ import annotations

import re
from graphlib import CycleError
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from catalog.errors import Cycle, TooMuchToDraw
from catalog.picture import svg
from catalog.prerequisites import CREDENTIAL, Group, before, graph, must_have_no_cycle
from catalog.prerequisites import needs as groups_of
from tests.catalog.items import content, needs

NODES = st.integers(0, 7).map(str)
GRAPHS = st.dictionaries(NODES, st.frozensets(NODES, max_size=4), max_size=8)


def reaches(found: dict[str, frozenset[str]], start: str) -> set[str]:
    """A slow reference: all that can be reached from a node's prerequisites on."""
    seen: set[str] = set()
    for _ in range(len(found) + 9):
        seen |= {one for other in {start, *seen} for one in found.get(other, ())}
    return seen


@given(GRAPHS)
def test_a_cycle_is_refused_exactly_where_a_node_rests_on_itself(found: dict[str, frozenset[str]]) -> None:
    cyclic = any(one in reaches(found, one) for one in found)
    if not cyclic:
        must_have_no_cycle(found)
        return
    with pytest.raises(Cycle) as told:
        must_have_no_cycle(found)
    codes = told.value.codes
    assert codes[0] == codes[-1]
    assert all(later in found[earlier] for earlier, later in pairwise(codes)), "each rests on the next"


@given(GRAPHS, NODES)
def test_what_a_node_rests_on_is_all_that_it_reaches(found: dict[str, frozenset[str]], start: str) -> None:
    assert set(before(found, start)) == {start, *reaches(found, start)}


def test_an_option_that_names_a_base_code_means_every_item_of_that_base() -> None:
    made = graph(
        [
            ("A-1", "330117021000", content()),
            ("A-2", "330117021000", content(requirements=needs("旧-7"))),
            ("B-1", "330117022000", content(requirements=needs("330117021000", "A-2", "unknown"))),
        ]
    )
    assert made == {"330117021000": frozenset({"旧-7"}), "330117022000": frozenset({"330117021000", "unknown"})}


NEEDS = st.dictionaries(
    NODES,
    st.lists(
        st.lists(st.one_of(NODES, st.sampled_from([f"{CREDENTIAL}执照", f"{CREDENTIAL}证书"])), min_size=1, max_size=3),
        max_size=3,
    ),
    max_size=8,
)
SVG = {"s": "http://www.w3.org/2000/svg"}
PATH = re.compile(r"M(\S+) (\S+)H(\S+)C(\S+) (\S+) (\S+) (\S+) (\S+) (\S+)H(\S+)")


def needed(said: dict[str, list[list[str]]]) -> dict[str, tuple[Group, ...]]:
    return {
        one: tuple(Group(f"组{number}", tuple(dict.fromkeys(options))) for number, options in enumerate(groups))
        for one, groups in said.items()
    }


def boxes(root: Any) -> list[tuple[float, float, float, float]]:
    """The left, upper, right and lower edge of each box."""
    found = [[float(one.get(name)) for name in ("x", "y", "width", "height")] for one in root.iterfind(".//{*}rect")]
    return [(x, y, x + wide, y + high) for x, y, wide, high in found]


def points(said: str) -> list[tuple[float, float]]:
    """Points of a line, close enough that it cannot pass a box between two of them."""
    found = PATH.fullmatch(said)
    assert found is not None, said
    x0, y0, x1, cx1, cy1, cx2, cy2, x2, y2, x3 = map(float, found.groups())
    steps = [number / 40 for number in range(41)]
    level = [(x0 + (x1 - x0) * step, y0) for step in steps] + [(x2 + (x3 - x2) * step, y2) for step in steps]
    return level + [
        (
            (1 - t) ** 3 * x1 + 3 * (1 - t) ** 2 * t * cx1 + 3 * (1 - t) * t**2 * cx2 + t**3 * x2,
            (1 - t) ** 3 * y0 + 3 * (1 - t) ** 2 * t * cy1 + 3 * (1 - t) * t**2 * cy2 + t**3 * y2,
        )
        for t in steps
    ]


@given(NEEDS)
def test_no_line_of_the_picture_runs_behind_a_box_and_no_boxes_overlap(said: dict[str, list[list[str]]]) -> None:
    try:
        root = etree.fromstring(svg(needed(said), "0", {}).encode())
    except CycleError:
        return
    drawn = boxes(root)
    for (ax, ay, bx, by), (cx, cy, dx, dy) in combinations(drawn, 2):
        assert bx <= cx or dx <= ax or by <= cy or dy <= ay
    for path in root.xpath("/s:svg/s:path/@d", namespaces=SVG):
        for x, y in points(path):
            assert not any(left < x < right and upper < y < lower for left, upper, right, lower in drawn), path
    wide, high = map(float, root.get("viewBox").split()[2:])
    assert all(left > 0 and upper > 0 and right < wide and lower < high for left, upper, right, lower in drawn)


def test_the_picture_shows_and_and_or() -> None:
    found = needed({"A": [["B", "C"], [f"{CREDENTIAL}营业执照"]], "B": [["C"]], "D": []})
    root = etree.fromstring(svg(found, "A", {"A": "许可", "B": "消防验收", "C": "规划"}).encode())
    texts = root.xpath("//s:g[@class='or' or @class='and']/s:text/text()", namespaces=SVG)
    assert sorted(texts) == ["且 AND", "或 OR"], "one group of one option needs neither"
    assert root.xpath("//s:g[@class='credential']/s:text[1]/text()", namespaces=SVG) == ["营业执照"]
    assert root.xpath("//s:g[@class='asked']/s:title/text()", namespaces=SVG) == ["许可 (A)"]


def test_the_picture_shows_every_item_once_and_cannot_be_broken_by_a_name() -> None:
    found = needed({"A": [["B"], ["C"]], "B": [["C"]]})
    made = svg(found, "A", {"A": "<script>alert(1)</script>\x00", "B": "消防验收"})
    root = etree.fromstring(made.encode())
    assert root.xpath("count(//s:g[not(@class='and')]/s:rect)", namespaces=SVG) == 3
    assert root.xpath("count(//s:script)", namespaces=SVG) == 0
    assert root.xpath("//s:g[@class='unknown']/s:title/text()", namespaces=SVG) == [
        "目录中没有此事项 not in the catalogue (C)"
    ]


def test_what_nobody_could_read_is_not_drawn() -> None:
    wide = {"A": [[str(number) for number in range(200)] for _ in range(200)]}
    deep = {f"{number}": [[f"{other}" for other in range(number)]] for number in range(1, 200)}
    for said in (wide, deep):
        with pytest.raises(TooMuchToDraw):
            svg(needed(said), "A", {})


def test_items_of_one_base_say_their_needs_once() -> None:
    said = content(requirements=needs("X"))
    assert groups_of([("A-1", "330117021000", said), ("A-2", "330117021000", said)]) == {
        "330117021000": (Group("前置0", ("X",)),)
    }
