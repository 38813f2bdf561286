import copy
import json
import pickle

import pytest

from experiments.config.node import Node, once


def test_what_follows_is_found_once():
    asked = []
    node = Node({"name": "he", "scale": 2.0})
    find = lambda node: asked.append(node["name"]) or len(asked)  # noqa: E731
    assert [node.once("a", find), once(node, "a", find), once(node, "b", find)] == [1, 1, 2]
    assert [once(dict(node), "a", find), once(dict(node), "a", find)] == [3, 4]


CHANGES = {
    "update": [{"scale": 3}], "setdefault": ["gain", 3], "pop": ["scale"], "popitem": [], "clear": [],
    "__setitem__": ["scale", 3], "__delitem__": ["scale"], "__ior__": [{}],
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_it_cannot_be_changed(change):
    node = Node({"name": "he", "scale": 2.0})
    with pytest.raises(TypeError, match="cannot be changed"):
        getattr(node, change)(*CHANGES[change])
    assert node == {"name": "he", "scale": 2.0}


def test_a_deep_copy_can_be_changed():
    node = Node({"name": "he", "sizes": [1]})
    mine = copy.deepcopy({"init": node})
    mine["init"]["sizes"].append(2)
    mine["init"]["name"] = "zeros"
    assert (type(mine["init"]), node) == (dict, {"name": "he", "sizes": [1]})


def test_another_process_gets_a_node_without_what_is_known():
    node = Node({"name": "he", "scale": 2.0})
    node.once("a", lambda node: 1)
    there, again = pickle.loads(pickle.dumps([node, node]))
    assert (type(there), there, json.dumps(there)) == (Node, node, json.dumps(dict(node)))
    assert there is again
    assert there.once("a", lambda node: 2) == 2
