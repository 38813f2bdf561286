"""A group's keys as many runs share them: what follows from them is found once for all of these runs."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

Found = TypeVar("Found")


class Node(dict[str, Any]):
    """Hold a group's keys, as a dict that cannot be changed; a deep copy of it is a plain dict, which can.

    Args:
        content: key -> value.
    """

    __slots__ = ("_known",)

    def __init__(self, content: Mapping[str, Any]) -> None:
        super().__init__(content)
        self._known: dict[str, Any] = {}

    def once(self, what: str, find: Callable[[dict[str, Any]], Found]) -> Found:
        """Return what follows from the keys, which is found when it is first asked for.

        Args:
            what: names it.
            find: called with this node.
        """
        try:
            known: Found = self._known[what]
        except KeyError:
            known = self._known[what] = find(self)
        return known

    def __reduce__(self) -> tuple[type["Node"], tuple[dict[str, Any]]]:
        """Leave out what is known: another process finds it anew."""
        return Node, (dict(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        """Return what may be changed; the values are scalars and lists of scalars."""
        return {key: list(value) if isinstance(value, list) else value for key, value in self.items()}

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("a node is shared by the runs of a sweep and cannot be changed; change a deep copy of it")

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse


def once(node: dict[str, Any], what: str, find: Callable[[dict[str, Any]], Found]) -> Found:
    """Return what follows from a group's keys: found once for a `Node`, each time for a plain dict.

    Args:
        node: of a group.
        what: names it.
        find: called with the node.
    """
    return node.once(what, find) if isinstance(node, Node) else find(node)
