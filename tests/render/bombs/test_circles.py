"""The components of a graph, by an oracle that follows every way."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.strategies import examples
from thumbs.render.bombs.circles import components

GRAPHS = st.integers(1, 7).flatmap(
    lambda count: st.lists(st.lists(st.integers(0, count - 1), max_size=4), min_size=count, max_size=count)
)


def reached(graph: list[list[int]], start: int) -> set[int]:
    """The nodes that `start` leads to, with itself."""
    found, new = set[int](), {start}
    while new:
        found |= new
        new = {each for node in new for each in graph[node]} - found
    return found


@settings(max_examples=examples(500))
@given(GRAPHS)
@example([[1, 2], [], [1]])  # a component that is complete when another node leads to it
@example([[1], [2], [0, 1]])
def test_nodes_are_in_one_component_if_each_leads_to_the_other(graph: list[list[int]]) -> None:
    found = list(components(graph))
    ways = [reached(graph, node) for node in range(len(graph))]
    assert sorted(node for component in found for node in component) == sorted(ways[0])
    for component in found:
        assert set(component) == {other for other in ways[component[0]] if component[0] in ways[other]}


@settings(max_examples=examples(500))
@given(GRAPHS)
def test_a_component_comes_after_all_that_it_leads_to(graph: list[list[int]]) -> None:
    before: set[int] = set()
    for component in components(graph):
        before.update(component)
        assert all(set(graph[node]) <= before for node in component)


def test_a_graph_may_be_deeper_than_the_stack_of_the_interpreter() -> None:
    chain = [[number + 1] for number in range(50_000)]
    assert len(list(components([*chain, []]))) == 50_001
    assert [len(component) for component in components([*chain, [0]])] == [50_001]
