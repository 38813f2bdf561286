"""Fast composition is Hydra's composition: the same nodes, the same values, the same refusals."""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict

from experiments.compose.composition import compose
from experiments.compose.explanations import explain
from experiments.compose.fast import FastLoader
from experiments.compose.hydras import VERSION_BASE, Composed, by_hydra
from experiments.config.files import catalogue
from experiments.config.keys import register
from experiments.config.paths import CONF
from experiments.errors import UserError

EXAMPLES = int(os.environ.get("GRADSTAB_EXAMPLES", "16"))
"""Each costs Hydra two or three compositions; a thorough search is for a quiet hour."""

FILES = {
    "config.yaml": """
defaults:
  - db: mysql
  - optional server: null
  - nested/deep: one
  - _self_
a: 1
b: {c: 2.5, d: text}
list: [1, 2]
ref: ${b.c}
text: depth ${a} of ${b.d}
""",
    "db/mysql.yaml": "driver: mysql\nport: 3306\nuser: ${a}\n",
    "db/postgresql.yaml": "driver: postgresql\nuser: me\ntimeout: 10\n",
    "server/apache.yaml": "host: here\n",
    "nested/deep/one.yaml": "depth: 1\n",
    "nested/deep/two.yaml": "# @package _global_\nelsewhere: 2\nb: {c: 7}\n",
    "experiment/override.yaml": "# @package _global_\ndefaults:\n  - override /db: postgresql\na: 5\ndb: {timeout: 20}\n",
    "experiment/values.yaml": "# @package _global_\nb: {c: 9, e: new}\nhydra: {job: {name: other}}\n",
}

GROUPS = [
    *("db=mysql", "db=postgresql", "db=nope", "db=null", "db=7", "db=[mysql]", "~db", "~db=mysql", "~db=nope", "+db=mysql", "++db=mysql"),
    *("+db@backup=mysql", "db@:backup=mysql", "db@db:backup=postgresql", "server=apache", "+server=apache", "+server@b=apache"),
    *("nested/deep=two", "nested/deep=one", "+nested/deep@other=one", "nested=1", "+experiment=override", "+experiment=values"),
    *("+experiment=nope", "experiment=values"),
]
VALUES = [
    *("a=2", "a=-3", "a=0", "a=-0", "a=007", "a=1_000", "a=+5", "a=1e3", "a=0.5", "a=-1.5e-7", "a=1.", "a=.5", "a=inf", "a=nan", "a=-0.0"),
    *("a=true", "a=null", "a=???", "a=", "a=word", "a='two words'", 'a="1"', "a=1 2", "a= 3", "a =3", "a=1e", "a=0x10", "a=2.5.1"),
    *("a=[1,2]", "a={x:1}", "b={c:5}", "b={new:5}", "+b={new:5}", "b=3", "b.c=4", "b.c=1e400", "b.d=x", "b.nope=1", "nope=1", "b.c.d=1"),
    *("+b.e=1", "+b.c=1", "++b.c=8", "++b.e=[1,{x:2}]", "+new.deep.key=1", "+new=text", "list=[4]", "list.0=9", "list.7=9", "+list=[3]"),
    *("~a", "~a=1", "~a=2", "~b", "~b.d", "~b.d=text", "~nope", "~list", "~ref", "db.driver=x", "db.timeout=3", "db.port=1", "db={port:1}"),
    *(
        "+db.extra=1",
        "a=${b.c}",
        "a=${nope}",
        "ref=5",
        "b.c=${a}",
        "text=${b}",
        "db.user=${text}",
        "a@b=3",
        "+a@b=3",
        "db.user=${hydra.job.num}",
    ),
    *("elsewhere=3", "+experiment.x=1", "nested.deep.depth=4", "+nested.x=1", "a=$\\{b.c\\}", "b.d='${a}:${b.c}'", "a=${oc.env:NOWHERE,3}"),
]
OF_HYDRA = ["hydra.job.name=x", "hydra.job.chdir=true", "hydra/launcher=basic", "+hydra.job.env_set.X=1", "~hydra", "hydra={verbose:true}"]
SWEEPS = ["a=1,2", "a=range(3)", "a=interval(0,1)", "db=mysql,postgresql", "a=[1", "a", "=1", "~~a", "a=1=2", "@b=1"]


class App:
    """Hydra's loader and the fast one, of one conf folder, with the config of a sweep."""

    def __init__(self, folder: Path, overrides: list[str]) -> None:
        with initialize_config_dir(str(folder), **VERSION_BASE):
            hydra = GlobalHydra.instance().hydra
            assert hydra is not None
            self.own: Any = hydra.config_loader
            self.master = self.own.load_configuration("config", overrides, RunMode.MULTIRUN)
        self.fast = FastLoader(self.own)


@pytest.fixture(scope="module", params=[False, True], ids=["interpolations", "literal"])
def small(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("conf")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(re.sub(r"\$\{(.*?)\}", r"\1", text) if request.param else text, encoding="utf-8")
    yield App(folder, ["hydra/sweeper=design", "hydra.job.name=sweep"])
    GlobalHydra.instance().clear()


@pytest.fixture(scope="module")
def own_conf() -> Iterator[App]:
    register()
    yield App(CONF, [])
    GlobalHydra.instance().clear()


def described(node: Any) -> Any:
    """Return all that makes a node what it is: class, declared types, flags, content."""
    held = node._content if isinstance(node, (DictConfig, ListConfig)) else node._value()
    about = (
        type(node).__name__,
        str(node._metadata.ref_type),
        str(node._metadata.object_type),
        node._metadata.optional,
        node._metadata.flags,
    )
    if isinstance(held, dict):
        return about, {key: described(child) for key, child in held.items()}
    if isinstance(held, list):
        return about, [described(child) for child in held]
    return about, repr(held), type(held).__name__


def outcome(compose_one: Any) -> Any:
    try:
        return compose_one()
    except Exception as error:
        return type(error).__name__, explain(error), str(error)


def resolved(task: DictConfig) -> Any:
    return repr(OmegaConf.to_container(task, resolve=True, throw_on_missing=True))


def as_hydra_runs_it(config: DictConfig) -> Any:
    """Resolve the task's config without Hydra's node, as `run_job` hands it over."""
    task = config.copy()
    with open_dict(task):
        del task["hydra"]
    choices = dict(config.hydra.runtime.choices)
    return resolved(task), tuple(OmegaConf.to_container(config.hydra.overrides.task, resolve=False)), choices


def check(app: App, overrides: list[str]) -> bool:
    """Compare both ways of composing a job, and return whether the fast one was really taken."""
    expected = outcome(lambda: app.own.load_sweep_config(app.master, overrides))
    found = outcome(lambda: app.fast.load_sweep_config(app.master, overrides))
    task = app.fast.load_task_config(app.master, overrides)
    if isinstance(expected, tuple):
        assert found == expected
        assert task is None
        return False
    assert described(found) == described(expected)
    if task is not None:
        taken = outcome(lambda: (repr(task.container()), task.overrides, dict(task.choices)))
        assert taken == outcome(lambda: as_hydra_runs_it(expected))
    return task is not None


@settings(derandomize=True, max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(overrides=st.lists(st.sampled_from(VALUES) | st.sampled_from([*GROUPS, *VALUES, *OF_HYDRA, *SWEEPS]), max_size=4))
def test_it_equals_hydras(small: App, overrides: list[str]) -> None:
    check(small, overrides)


OWN = st.one_of(
    st.builds("{}={!r}".format, st.sampled_from(["depth", "width", "steps", "seed", "batch_size"]), st.integers(-5, 1000)),
    st.builds("{}={!r}".format, st.sampled_from(["lr", "init.scale", "weight_decay", "clip.threshold"]), st.floats(allow_nan=False)),
    st.sampled_from(["activation", "init", "clip", "optimizer"]).flatmap(
        lambda group: st.sampled_from(catalogue(group)).map(lambda choice: f"{group}={choice}")
    ),
    st.sampled_from(catalogue("experiment")).map(lambda name: f"+experiment={name}"),
    st.sampled_from(
        [
            "~weight_decay",
            "+extra=1",
            "++init.scale=3",
            "lr=${init.scale}",
            "lr=$\\{init.scale\\}",
            "name='a b'",
            "dtype=float32",
            "init={scale:2}",
        ]
    ),
)


@settings(derandomize=True, max_examples=EXAMPLES // 3, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(overrides=st.lists(OWN, max_size=5))
@pytest.mark.slow
def test_it_equals_hydras_in_the_own_conf(own_conf: App, overrides: list[str]) -> None:
    check(own_conf, overrides)


@pytest.mark.parametrize(
    "overrides", [["a=2", "db=postgresql", "+b.e=1"], ["+experiment=override", "db.timeout=3"], ["~b.d", "a=1e3"]], ids=str
)
def test_ordinary_jobs_are_composed_fast(small: App, overrides: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(small, overrides)  # from here on the base is there, and Hydra is asked no more
    monkeypatch.setattr(type(small.own), "load_sweep_config", None)
    changed = [override.replace("=2", "=4").replace("=3", "=6").replace("=1e3", "=0.25") for override in overrides]
    assert changed != overrides
    task = small.fast.load_task_config(small.master, changed)
    assert task is not None
    assert task.overrides == tuple(changed)
    assert small.fast.load_sweep_config(small.master, changed).hydra.overrides.task == changed


@pytest.mark.parametrize("override", [*OF_HYDRA, "a=${oc.env:HOME}", "a=${hydra:job.num}"])
def test_what_looks_at_hydra_is_left_to_hydra(small: App, override: str) -> None:
    assert small.fast.load_task_config(small.master, [override]) is None


def test_the_comparison_sees_a_difference(small: App) -> None:
    one, other = (small.own.load_sweep_config(small.master, [f"a={value}"]) for value in ("1", "1.0"))
    assert one.a == other.a  # by value, which is why nodes are compared by type as well
    assert described(one) != described(other)


@pytest.mark.parametrize("text", ["a=5", "a=-5", "a=0.1", "a=1e-3", "a=-2.50E+07", "a=9007199254740993", "~a=5", "++b.c=3.0", "x/y@z=4"])
def test_numbers_are_read_as_hydra_reads_them(small: App, text: str) -> None:
    (expected,) = small.fast._parser.parse_overrides([text])
    found = small.fast._parse(text)
    assert found == expected
    assert type(found.value()) is type(expected.value())
    assert math.copysign(1, found.value()) == math.copysign(1, expected.value())


@pytest.mark.slow
def test_every_launcher_and_sweeper_composes_the_same() -> None:
    overrides = [
        "+experiment=clipping",
        "seed=0",
        "clip.threshold=sort(3,1)",
        "activation=glob([selu,t*])",
        "depth=2",
        "lr=choice(${init.scale})",
    ]
    ways = [[], ["hydra.launcher.fast=false"], ["hydra/launcher=basic", "hydra/sweeper=basic"]]
    default, *others = [by_hydra(["--multirun"], [*way, *overrides]) for way in ways]
    assert [entry.config["lr"] for entry in default] == [2.0] * 4

    def own(entries: list[Composed]) -> list[Any]:  # launcher and sweeper are choices too, and differ
        return [
            (entry.config, entry.overrides, {group: name for group, name in entry.choices.items() if not group.startswith("hydra/")})
            for entry in entries
        ]

    assert all(own(other) == own(default) for other in others)


@pytest.mark.parametrize("override", ["depth=1,x", "init.sacle=1,2", "activation=tan", "lr=1,${nope}"])
def test_every_launcher_refuses_in_the_same_words(override: str) -> None:
    messages = []
    for way in ([], ["hydra/launcher=basic"]):
        with pytest.raises(UserError) as caught:
            by_hydra(["--multirun"], [*way, override])
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "\n" not in messages[0]


@pytest.mark.parametrize("way", [compose, by_hydra])
def test_hydras_state_is_left_as_it_was(way: Any) -> None:
    before = HydraConfig.instance().cfg
    way(["--multirun"], ["depth=2,3", "lr=${init.scale}"])
    assert HydraConfig.instance().cfg is before
