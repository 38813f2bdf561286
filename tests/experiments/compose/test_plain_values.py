"""Values on plain containers: only what replaces a scalar by a scalar, converted as OmegaConf does. (Equality: test_fast_composition.)"""

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.compose.plain_values import PlainBase
from experiments.config import keys as run_config


def base() -> PlainBase:
    config = OmegaConf.merge(OmegaConf.structured(run_config.Schema), {"init": {"name": "he", "scale": 1.0, "sizes": [1, 2]}})
    for group in run_config.GROUPS:
        config[group] = config.get(group) if group == "init" else {"name": group}
    return PlainBase(config)


def applied(plain: PlainBase, *overrides: str) -> dict[str, Any] | None:
    return plain.apply(OverridesParser.create().parse_overrides(list(overrides)))


def test_a_value_takes_the_declared_type_of_its_place() -> None:
    done = applied(base(), "lr=1", "depth=7", "batch_size=null", "init.scale=2", "name=x")
    assert done is not None
    assert (done["lr"], type(done["lr"])) == (1.0, float)
    assert (done["depth"], done["batch_size"], done["name"]) == (7, None, "x")
    assert done["init"] == {"name": "he", "scale": 2, "sizes": [1, 2]}


def test_jobs_share_nothing() -> None:
    plain = base()
    one, other, neither = applied(plain, "init.scale=2", "depth=1"), applied(plain, "init.scale=3"), applied(plain)
    assert one is not None
    assert other is not None
    assert neither is not None
    assert [done["init"]["scale"] for done in (one, other, neither)] == [2, 3, 1.0]
    assert [done["depth"] for done in (one, other, neither)] == [1, None, None]
    one["init"]["sizes"].append(3)
    assert applied(plain, "init.scale=2") == {**one, "depth": None, "init": {"name": "he", "scale": 2, "sizes": [1, 2]}}


def test_jobs_share_the_nodes_that_nobody_can_change() -> None:
    plain = base()
    one, other = applied(plain, "depth=1"), applied(plain, "depth=2")
    assert one is not None
    assert other is not None
    assert one["init"] is other["init"]
    with pytest.raises(TypeError, match="cannot be changed"):
        one["init"]["scale"] = 4.0


def test_the_last_of_two_values_of_a_place_counts() -> None:
    plain = base()
    for order in (("depth=1", "depth=2"), ("depth=2", "depth=1")):
        done = applied(plain, *order)
        assert done is not None
        assert f"depth={done['depth']}" == order[-1]


@pytest.mark.parametrize(
    "override",
    [
        *("+extra=1", "++depth=1", "~depth", "init={scale:2}", "init=3", "init.sizes=[1]", "init.sizes.0=1"),
        *("init.nope=1", "nope=1", "depth.x=1", "name=${depth}", "name=???", "name@a=1"),
    ],
)
def test_what_does_more_is_left_to_hydra(override: str) -> None:
    assert applied(base(), "seed=1", override) is None


def test_a_refused_value_is_an_error_and_changes_nothing() -> None:
    plain = base()
    before = applied(plain)
    with pytest.raises((HydraException, OmegaConfBaseException)):
        applied(plain, "depth=x")
    assert applied(plain) == before
