"""Residual nets as configurations: what goes together, and what is refused in one line."""

import pytest

from experiments.config.files import choice
from experiments.config.validation import validate
from experiments.errors import UserError


def run_of(base, skip, depth=5, normalization="none", place="before", **keys):
    nodes = {"skip": {**choice("skip", skip), **keys}, "normalization": choice("normalization", normalization)}
    if normalization != "none":
        nodes["normalization"]["place"] = place
    return validate({**base, "depth": depth, "width": 6, **nodes})


def test_a_plain_net_is_the_run_that_it_was(base):
    assert run_of(base, "none").run_id == validate({**base, "depth": 5, "width": 6}).run_id
    assert len({run_of(base, name).run_id for name in ("none", "preactivation", "block", "postactivation")}) == 4


def test_the_network_has_the_skip(base):
    run = run_of(base, "block", scale="depth")
    assert run.network.skip is run.skip
    assert (run.span, run.network.sources, run.skip.alpha(run.sizes)) == (2, {3: 1, 5: 3}, 0.5**0.5)
    assert [phi.name for phi in run.hidden_activations] == ["identity", "tanh", "identity", "tanh", "identity"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"skip": "block", "depth": 4}, "`depth` must be odd with skip=block, whose blocks of two layers follow layer 1, got 4; add one"),
        ({"skip": "preactivation", "normalization": "layer", "place": "after", "norm": "post"}, "`normalization.place` must be before"),
        ({"skip": "postactivation", "normalization": "layer", "norm": "post"}, "`normalization.place` must be after with skip=postactiv"),
        ({"skip": "preactivation", "scale": "much"}, "`skip.scale` must be a number ≥ 0, or depth"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(base, keys, message):
    with pytest.raises(UserError) as raised:
        run_of(base, **keys)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_shallow_nets_have_no_block_and_are_nets(base, depth):
    assert depth + 1 == run_of(base, "block", depth=depth).network.L
