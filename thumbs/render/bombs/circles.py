"""The parts of a graph that lead to each other in circles."""

from collections.abc import Iterator, Sequence


def components(leads_to: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """The strongly connected components that node 0 leads to, each after all others that it leads to.

    `leads_to` has for each node the nodes that it leads to. The algorithm is Tarjan's (1972), without recursion: a
    graph may be deeper than the stack of the interpreter. It takes one step for each edge.
    """
    found: dict[int, int] = {0: 0}  # the order in which nodes were found
    lowest = [0] * len(leads_to)  # the first node found that a node leads to, among those whose component is open
    path = [(0, iter(leads_to[0]))]
    unfinished = [0]  # nodes of open components
    closed: set[int] = set()
    while path:
        node, rest = path[-1]
        for each in rest:
            if each not in found:
                found[each] = lowest[each] = len(found)
                path.append((each, iter(leads_to[each])))
                unfinished.append(each)
                break
            if each not in closed:
                lowest[node] = min(lowest[node], found[each])
        else:
            path.pop()
            if path:
                above = path[-1][0]
                lowest[above] = min(lowest[above], lowest[node])
            if lowest[node] == found[node]:
                component: list[int] = []
                while not component or component[-1] != node:
                    component.append(unfinished.pop())
                closed.update(component)
                yield component
