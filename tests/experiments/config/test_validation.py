import math

import pytest

from experiments.compose.composition import compose
from experiments.config.validation import validate
from experiments.errors import UserError
from tests.experiments.helpers import changed
from tests.oracles import catalogue


@pytest.fixture(scope="module")
def default():
    return compose([], ["data.n_samples=50"])[0].config


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["parametrization=mup", "parametrization.base_width=0"], ["`parametrization.base_width`", "≥ 1", "0"]),
        (["parametrization=mup", "init=lsuv"], ["`init`", "lsuv", "parametrization=mup", "init=orthogonal"]),
        *(
            (["parametrization=mup", f"init={init}"], ["`init`", "1/width", f"init={init}", "fan_in"])
            for init in ("normal", "uniform", "truncated_normal")
        ),
        *((["parametrization=ntk", *given], ["`init`", "random", "σ_w, here 0"]) for given in (["init=constant"], ["init.scale=0"])),
        (["parametrization=mup", "init=ones"], ["`init`", "random", "parametrization=mup"]),
    ],
    ids=str,
)
def test_weights_that_a_parametrization_cannot_scale_are_refused_in_one_line(overrides, words):
    with pytest.raises(UserError) as caught:
        validate(compose([], ["data.n_samples=50", *overrides])[0].config)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize("init", [name for name in catalogue("init") if name not in {"lsuv", "constant", "ones"}])
def test_all_others_have_what_is_published(init):
    published = init not in {"normal", "uniform", "truncated_normal"}
    for name in ["ntk"] + ["mup"] * published:
        assert (
            validate(compose([], ["data.n_samples=50", f"init={init}", f"parametrization={name}"])[0].config).parametrization.name == name
        )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"depth": -1}, ["`depth`", "≥ 0", "-1"]),
        ({"depth": 2.5}, ["`depth`", "an integer", "2.5"]),
        ({"depth": True}, ["`depth`", "an integer", "True"]),
        ({"width": 0}, ["`width`", "≥ 1", "0"]),
        ({"lr": math.nan}, ["`lr`", "finite", "nan"]),
        ({"lr": -0.1}, ["`lr`", "≥ 0", "-0.1"]),
        ({"dtype": "float16"}, ["`dtype`", "float64 or float32", "float16"]),
        ({"seed": -3}, ["`seed`", "≥ 0"]),
        ({"steps": -1}, ["`steps`", "≥ 0"]),
        ({"batch_size": 51}, ["`batch_size`", "50", "51", "data.n_samples"]),
        ({"name": "a/b"}, ["`name`", "a/b", "results_dir"]),
        ({"name": ".."}, ["`name`"]),
        ({"output_activation": "tanh"}, ["`output_activation`", "identity", "loss=mse"]),
        ({"output_activation": "nope"}, ["`output_activation`", "nope", "sigmoid"]),
        ({"init__scale": math.inf}, ["`init.scale`", "finite", "inf"]),
        ({"init__scale": "big"}, ["`init.scale`", "a number", "'big'"]),
        ({"init__distribution": "cauchy"}, ["`init.distribution`", "normal, uniform or truncated_normal", "cauchy"]),
        ({"init__foo": 1}, ["`init.foo`", "scale, bias_std, distribution"]),
        ({"data__n_samples": 0}, ["`data.n_samples`", "1 to 1797", "0"]),
        ({"data__n_samples": 1798}, ["`data.n_samples`", "1798"]),
        ({"record__every": 0}, ["`record.every`", "≥ 1"]),
        ({"record__snapshot": 101}, ["`record.snapshot`", "steps=100", "101"]),
        ({"extra": 1}, ["`extra`", "depth"]),
        ({"activation": 3}, ["`activation`", "tanh", "3"]),
        ({"seed": 2**63}, ["`seed`", "2^63"]),
        ({"name": "a\nb"}, ["`name`"]),
        ({"name": "a" * 201}, ["`name`"]),
        ({"results_dir": ""}, ["`results_dir`"]),
        ({"output_activation": "../clip/none"}, ["`output_activation`"]),
        ({"activation___target_": "os.getcwd"}, ["`activation._target_`", "Activation"]),
        ({"activation___target_": "nowhere.at.all"}, ["`activation._target_`", "nowhere.at.all"]),
        ({"activation___target_": "bpcore.normalization.none"}, ["`activation._target_`", "Activation"]),
    ],
    ids=str,
)
def test_a_bad_value_is_refused_in_one_line(default, changes, words):
    with pytest.raises(UserError) as caught:
        validate(changed(default, **changes))
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize("key", ["lr", "weight_decay", "bias_lr_factor"])
def test_a_setting_that_float32_cannot_hold_is_refused(default, key):
    with pytest.raises(UserError, match=f"`{key}` must be representable in float32"):
        validate(changed(default, dtype="float32", **{key: 1e-50}))
    validate(changed(default, **{key: 1e-50}))


def test_a_key_that_was_taken_out_is_missed(default):
    with pytest.raises(UserError, match="`depth` is missing"):
        validate({key: value for key, value in default.items() if key != "depth"})


def test_a_groups_key_that_was_taken_out_has_its_default(default):
    without = changed(default)
    del without["init"]["scale"]
    assert validate(without).run_id == validate(default).run_id


def test_batch_normalization_needs_two_examples():
    config_ = compose([], ["normalization=batch", "batch_size=1"])[0].config
    with pytest.raises(UserError, match="≥ 2 with batch normalization"):
        validate(config_)


def test_binary_cross_entropy_takes_a_point_that_is_a_probability():
    overrides = ["data=point", "loss=sigmoid_cross_entropy"]
    validate(compose([], overrides)[0].config)
    with pytest.raises(UserError, match="use loss=mse"):
        validate(compose([], [*overrides, "data.y=1.5"])[0].config)


@pytest.mark.parametrize(
    ("overrides", "key"),
    [([], "`activation`"), (["activation=identity", "output_activation=tanh"], "`output_activation`"),
     (["activation=identity", "normalization=batch"], "`normalization`"),
     (["activation=identity", "dropout.rate=0.1"], r"`dropout\.rate`")],
)  # fmt: skip
def test_modes_of_what_is_not_linear_are_refused(overrides, key):
    with pytest.raises(UserError, match=rf"{key} must be .* with record\.modes=true"):
        validate(compose([], ["data=modes", "loss=mse", "record.modes=true", *overrides])[0].config)


def test_cross_entropy_on_a_regression_is_refused():
    with pytest.raises(UserError, match="use loss=mse"):
        validate(compose([], ["data=chebyshev"])[0].config)
