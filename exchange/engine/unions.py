"""Which nodes hang together, when some are joined (union-find)."""

from collections.abc import Sequence


class Unions:
    """Nodes from 0; the root of a set is the least node in it."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, node: int) -> int:
        """Give the least node that hangs together with this one."""
        while self._parent[node] != node:
            self._parent[node] = self._parent[self._parent[node]]
            node = self._parent[node]
        return node

    def join(self, nodes: Sequence[int]) -> None:
        """Join nodes into one set."""
        roots = {self.root(node) for node in nodes}
        for root in roots:
            self._parent[root] = min(roots)
