from pathlib import Path

import pytest

from experiments.config.files import catalogue, choice, load, own_target
from experiments.config.keys import GROUPS
from experiments.config.paths import CONF
from experiments.errors import UserError
from tests.every import every

CHOICES = [(group, name) for group in GROUPS for name in catalogue(group)]


@every(CHOICES, by=lambda group, _: group)
def test_every_conf_file_names_itself(group: str, name: str) -> None:
    assert choice(group, name)["name"] == name


@every(sorted(CONF.rglob("*.yaml")), by=lambda path: path.parent.name)
def test_every_conf_file_is_read(path: Path) -> None:
    assert load(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [1", ["cannot read", "expected YAML"]),
        (b"\xff\xfe\x00", ["cannot read", "expected YAML"]),
        (b"- 1\n- 2\n", ["must be a mapping of keys, got a list"]),
        (None, ["cannot read", "No such file"]),
    ],
    ids=str,
)
def test_what_is_no_conf_file_is_refused_in_one_line(tmp_path: Path, content: bytes | None, words: list[str]) -> None:
    path = tmp_path / "own.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in [str(path), *words]), str(caught.value)


def test_a_choice_may_be_changed_without_harm() -> None:
    choice("activation", "leaky_relu")["alpha"] = 7.0
    assert choice("activation", "leaky_relu")["alpha"] == 0.1


@pytest.mark.parametrize("name", ["sigmoyd", "../clip/none", ""])
def test_a_choice_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=rf"`activation` must be one of .*sigmoid.*, got '{name}'"):
        choice("activation", name)
    assert own_target("activation", name) is None
