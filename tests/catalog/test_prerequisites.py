"""What an item rests on: the graph, its cycles, its layers and its picture."""

from __future__ import annotations

from graphlib import CycleError
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from catalog.errors import Cycle
from catalog.picture import svg
from catalog.prerequisites import before, graph, layers, must_have_no_cycle
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


@given(GRAPHS)
def test_layers_put_each_node_behind_all_that_it_rests_on(found: dict[str, frozenset[str]]) -> None:
    try:
        rows = layers(found)
    except CycleError:
        return
    depth = {one: place for place, row in enumerate(rows) for one in row}
    assert all(depth[other] < depth[one] for one, rests in found.items() for other in rests)
    assert len(depth) == sum(len(row) for row in rows)


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


def test_the_picture_shows_every_item_once_and_cannot_be_broken_by_a_name() -> None:
    found = {"A": frozenset({"B", "C"}), "B": frozenset({"C"})}
    made = svg(found, "A", {"A": "<script>alert(1)</script>", "B": "消防验收"})
    root = etree.fromstring(made.encode())
    names = {"s": "http://www.w3.org/2000/svg"}
    assert root.xpath("count(//s:rect)", namespaces=names) == 3
    assert root.xpath("count(//s:path)", namespaces=names) == 3
    assert root.xpath("count(//s:script)", namespaces=names) == 0
    assert root.xpath("//s:g[@class='unknown']/s:title/text()", namespaces=names) == [
        "目录中没有此事项 not in the catalogue (C)"
    ]
