"""A small table for every published finding: one where it holds, one where it fails, as its own tests make them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.store.tables import Results
from tests.experiments.findings.published import (
    test_f_adam_step,
    test_f_adamw,
    test_f_agc,
    test_f_bn,
    test_f_bnscale,
    test_f_bntrain,
    test_f_catapult,
    test_f_clip,
    test_f_dead_step,
    test_f_depthscale,
    test_f_drop_corr,
    test_f_drop_crit,
    test_f_eos,
    test_f_eos_sched,
    test_f_fixup,
    test_f_float,
    test_f_funnel,
    test_f_glorot,
    test_f_glorot_sat,
    test_f_hanin,
    test_f_he,
    test_f_he_chain,
    test_f_input_scale,
    test_f_isometry,
    test_f_ln,
    test_f_ln_after,
    test_f_ln_scale,
    test_f_ln_sigmoid,
    test_f_logvar,
    test_f_lsuv,
    test_f_mode,
    test_f_mup,
    test_f_neuron,
    test_f_nielsen_train,
    test_f_prepost,
    test_f_rank,
    test_f_relu_edge,
    test_f_res_bn,
    test_f_res_meanshift,
    test_f_res_relu,
    test_f_res_shatter,
    test_f_res_stable,
    test_f_res_tanh,
    test_f_rotation,
    test_f_saxe,
    test_f_selu,
    test_f_selu_gradients,
    test_f_shatter,
    test_f_slowquad,
    test_f_symmetry,
    test_f_torch_init,
    test_f_warmup,
    test_f_zeroinit,
    test_n_adam_cures,
    test_n_clip_converges,
    test_n_he_dropout,
    test_n_ortho_relu,
    test_n_warmup_adam,
    test_pilots,
    test_s_act,
    test_s_bn,
    test_s_clip,
    test_s_explode,
    test_s_init,
    test_s_init_standard_normal,
    test_s_lr,
    test_s_product,
    test_s_small_lr,
)
from tests.experiments.findings.tables import results

Sweeps = Mapping[str, Any]
"""Sweep -> runs made by hand, or their tables."""


@dataclass(frozen=True)
class Case:
    """Hold how a finding's tables are made; `folder` is where snapshots may be written."""

    holds: Callable[[Path], Sweeps]
    fails: Callable[[Path], Sweeps]


def tables(make: Callable[[Path], Sweeps], folder: Path) -> dict[str, Results]:
    """Return a case's tables, made once for all tests where they write nothing into the folder; each test has copies of its own."""
    if make not in _KEPT:
        made = {name: sweep if isinstance(sweep, Results) else results(sweep) for name, sweep in make(folder).items()}
        if any(folder.iterdir()):
            return made
        _KEPT[make] = made
    return {name: _copied(sweep) for name, sweep in _KEPT[make].items()}


_KEPT: dict[Callable[[Path], Sweeps], dict[str, Results]] = {}


def _copied(sweep: Results) -> Results:
    return replace(sweep, **{name: getattr(sweep, name).copy() for name in ("runs", "layers", "steps", "histograms")})


def _one(name: str, holds: Callable[[], Any], fails: Callable[[], Any]) -> Case:
    return Case(lambda _: {name: holds()}, lambda _: {name: fails()})


def _many(holds: Callable[[], Sweeps], fails: Callable[[], Sweeps]) -> Case:
    return Case(lambda _: holds(), lambda _: fails())


def _neurons(slope: float) -> list[Any]:
    return [one for weight in (3.9, 5.0, 6.9, 10.0) for one in test_f_neuron.chain(weight, slope)]


def _modes(speed: float) -> Sweeps:
    return {"one_mode": [test_f_mode.one(1.0, speed), test_f_mode.one(3.0, speed)], "four_modes": [test_f_mode.four()]}


def _two_layers(lowest: float) -> list[Any]:
    return [test_f_nielsen_train.net(test_f_nielsen_train.OWN | {100: lowest}, 2, seed) for seed in range(5)]


def _shatter(law: Any) -> Sweeps:
    return {"independent": test_f_shatter.nets(law), "grid": test_f_shatter.nets(law)}


def _floats(rate: float) -> Sweeps:
    return {"single": test_f_float.nets("single", 85, rate=rate), "double": test_f_float.nets("double", 540)}


def _normal(factor: float) -> list[Any]:
    return test_s_init_standard_normal.nets({"sigmoid": factor, "tanh": factor, "relu": factor})


CASES: dict[str, Case] = {
    "f_adam_step": _many(test_f_adam_step.sweeps, lambda: test_f_adam_step.sweeps(follows=0.01)),
    "f_adamw": Case(test_f_adamw.sweeps, lambda folder: test_f_adamw.sweeps(folder, by_decay=0.001)),
    "f_agc": Case(test_f_agc.sweeps, lambda folder: test_f_agc.sweeps(folder, by=1.001)),
    "f_bn": _many(
        lambda: {"rates": test_f_bn.rates(), "scales": test_f_bn.scales(1.26, 1.26)},
        lambda: {"rates": test_f_bn.rates(0.9), "scales": test_f_bn.scales(1.26, 1.26)},
    ),
    "f_bnscale": _many(test_f_bnscale.sweeps, lambda: test_f_bnscale.sweeps(error=1e-6)),
    "f_bntrain": _one("training", test_f_bntrain.nets, lambda: test_f_bntrain.nets(without=0.7)),
    "f_catapult": _many(test_f_catapult.sweeps, lambda: test_f_catapult.sweeps(quadratic=True)),
    "f_clip": _many(test_f_clip.sweeps, lambda: test_f_clip.sweeps(0.95)),
    "f_dead_step": _many(lambda: {"nets": test_f_dead_step.nets()}, lambda: {"nets": test_f_dead_step.nets(by=1.3)}),
    "f_depthscale": _one(
        "map",
        lambda: test_f_depthscale.nets(test_f_depthscale.as_published()),
        lambda: test_f_depthscale.nets(test_f_depthscale.as_published(edge_trains=False) | {(1.0, 66): True}),
    ),
    "f_eos": _many(test_f_eos.plain, lambda: test_f_eos.plain(end=0.9)),
    "f_eos_mom": _many(test_f_eos.momentum, lambda: test_f_eos.momentum(nesterov=0.9)),
    "f_fixup": _many(test_f_fixup.sweeps, lambda: test_f_fixup.sweeps(fixup=1.0)),
    "f_eos_sched": _many(test_f_eos_sched.sweeps, lambda: test_f_eos_sched.sweeps(follows=1.0)),
    "f_float": _many(lambda: _floats(0.23605), lambda: _floats(0.28)),
    "f_funnel": _many(test_f_funnel.sweeps, lambda: test_f_funnel.sweeps(1 / 16)),
    "f_glorot": _many(
        lambda: {"standard": test_f_glorot.nets(test_f_glorot.STANDARD), "normalized": test_f_glorot.nets(test_f_glorot.NORMALIZED)},
        lambda: {"standard": test_f_glorot.nets(test_f_glorot.STANDARD), "normalized": test_f_glorot.nets(test_f_glorot.STANDARD)},
    ),
    "f_glorot_sat": _one("training", lambda: test_f_glorot_sat.nets(0.05), lambda: test_f_glorot_sat.nets(0.3)),
    "f_hanin": _many(test_f_hanin.sweeps, lambda: test_f_hanin.sweeps(spread=1.3)),
    "f_he": _one("training", test_f_he.nets, lambda: test_f_he.nets(deep_xavier=0.8)),
    "f_he_chain": _one("layers", test_f_he_chain.nets, lambda: test_f_he_chain.nets(power=0.4)),
    "f_drop_corr": _one("critical", test_f_drop_corr.nets, lambda: test_f_drop_corr.nets(fall=1.1)),
    "f_drop_crit": _many(test_f_drop_crit.nets, lambda: test_f_drop_crit.nets(relu=0.9)),
    "n_he_dropout": _one("rates", lambda: test_n_he_dropout.nets(1.0), lambda: test_n_he_dropout.nets(None)),
    "f_input_scale": Case(test_f_input_scale.sweeps, lambda folder: test_f_input_scale.sweeps(folder, constant=True)),
    "f_isometry": Case(test_f_isometry.sweeps, lambda folder: test_f_isometry.sweeps(folder, tanh_small=12.0)),
    "f_ln": _one("rates", test_f_ln.nets, lambda: test_f_ln.nets(relu_layer_before=0.9)),
    "f_ln_after": _many(test_f_ln_after.sweeps, lambda: test_f_ln_after.sweeps(relu_rms=1.2)),
    "f_ln_scale": Case(test_f_ln_scale.sweeps, lambda folder: test_f_ln_scale.sweeps(folder, whole=1e-6)),
    "f_ln_sigmoid": _many(lambda: test_f_ln_sigmoid.sweeps(before=1.0), test_f_ln_sigmoid.sweeps),
    "f_logvar": _many(test_f_logvar.sweeps, lambda: test_f_logvar.sweeps({10: 0.5, 60: 5 / 60})),
    "f_lsuv": _many(lambda: test_f_lsuv.sweeps(tanh=1.0, sigmoid=1.0), test_f_lsuv.sweeps),
    "f_mode": _many(lambda: _modes(1.0), lambda: _modes(0.97)),
    "f_mup": Case(test_f_mup.sweeps, lambda folder: test_f_mup.sweeps(folder, mup={512: 2.0**-9})),
    "f_neuron": _one("neuron", lambda: _neurons(1.0), lambda: _neurons(0.9)),
    "f_nielsen_init": _one("norms", lambda: test_pilots.TestNielsen().runs(), lambda: test_pilots.TestNielsen().runs(change=4.0)),
    "f_nielsen_train": _one("training", test_f_nielsen_train.nets, lambda: test_f_nielsen_train.nets(change=6.0)),
    "f_nielsen_train_k2": _one("training", lambda: _two_layers(1.2), lambda: _two_layers(0.9)),
    "f_phase": _many(lambda: test_pilots.TestPhase().tables(1.0), lambda: test_pilots.TestPhase().tables(1.1)),
    "f_prepost": _many(test_f_prepost.sweeps, lambda: test_f_prepost.sweeps(pre=0.0)),
    "f_rank": _many(test_f_rank.sweeps, lambda: test_f_rank.sweeps(none=1.8)),
    "f_relu_edge": _many(
        lambda: {"correlation": test_f_relu_edge.paths(test_f_relu_edge.MAP), "edge": test_f_relu_edge.points()},
        lambda: {"correlation": test_f_relu_edge.paths(test_f_relu_edge.MAP), "edge": test_f_relu_edge.points(at_biases=1.0)},
    ),
    "f_res_bn": Case(test_f_res_bn.sweeps, lambda folder: test_f_res_bn.sweeps(folder, change=1.05)),
    "f_res_meanshift": _many(lambda: test_f_res_meanshift.sweeps(power=0.2), test_f_res_meanshift.sweeps),
    "f_res_relu": _many(test_f_res_relu.sweeps, lambda: test_f_res_relu.sweeps(change=1.03)),
    "f_res_shatter": _many(test_f_res_shatter.sweeps, lambda: test_f_res_shatter.sweeps(test_f_res_shatter.halved)),
    "f_res_stable": _many(test_f_res_stable.sweeps, lambda: test_f_res_stable.sweeps(trend=0.1)),
    "f_res_tanh": _one("depths", test_f_res_tanh.nets, lambda: test_f_res_tanh.nets(exponential=True)),
    "f_rotation": _many(test_f_rotation.sweeps, lambda: test_f_rotation.sweeps(by=0.1)),
    "f_saxe": _one("learning", test_f_saxe.nets, lambda: test_f_saxe.nets(orthogonal=15.0)),
    "f_selu": _many(
        lambda: {"slopes": test_f_selu.slopes(), "attraction": test_f_selu.flows()},
        lambda: {"slopes": test_f_selu.slopes(0.9), "attraction": test_f_selu.flows()},
    ),
    "f_selu_gradients": _one("depths", lambda: test_f_selu_gradients.nets(1.0), lambda: test_f_selu_gradients.nets(1.0716)),
    "f_shatter": _many(lambda: _shatter(test_f_shatter.law), lambda: _shatter(test_f_shatter.power)),
    "f_shatter_no_bn": _one(
        "independent", lambda: test_f_shatter.nets(test_f_shatter.law), lambda: test_f_shatter.nets(test_f_shatter.power)
    ),
    "f_slowquad": _many(test_f_slowquad.sweeps, lambda: test_f_slowquad.sweeps(bad_end=0.21)),
    "f_symmetry": Case(test_f_symmetry.sweeps, lambda folder: test_f_symmetry.sweeps(folder, apart=1e-8)),
    "f_torch_init": _many(test_f_torch_init.sweeps, lambda: test_f_torch_init.sweeps(relu=3.0)),
    "f_warmup": _many(test_f_warmup.sweeps, lambda: test_f_warmup.sweeps(mse=0.4)),
    "f_xavier_tanh": _one("depths", lambda: test_pilots.TestXavierTanh().nets(1.0), lambda: test_pilots.TestXavierTanh().nets(0.02)),
    "f_zeroinit": _many(test_f_zeroinit.sweeps, lambda: test_f_zeroinit.sweeps(rezero=0.7)),
    "n_skip": _one("depths", lambda: test_f_res_relu.depths(1.02), test_f_res_relu.depths),
    "n_adam_cures": _many(lambda: test_n_adam_cures.sweeps(deep=1.0, without=1.0), test_n_adam_cures.sweeps),
    "n_clip_converges": _many(lambda: test_n_clip_converges.sweeps(half=1.5), test_n_clip_converges.sweeps),
    "n_ortho_relu": Case(test_n_ortho_relu.sweeps, lambda folder: test_n_ortho_relu.sweeps(folder, spread=6.0)),
    "n_warmup_adam": _many(
        lambda: test_n_warmup_adam.sweeps(mse=0.2, others=0.4, adam=False), lambda: test_n_warmup_adam.sweeps(adam=False)
    ),
    "s_act": _many(test_s_act.sweeps, lambda: test_s_act.sweeps(relu=0.235)),
    "s_bn": _one("rates", test_s_bn.nets, lambda: test_s_bn.nets(factor=0.2)),
    "s_clip": _many(test_s_clip.sweeps, lambda: test_s_clip.sweeps(highest=50.0)),
    "s_explode": _one("scales", test_s_explode.nets, lambda: test_s_explode.nets(shift=1.1)),
    "s_init": _one("schemes", test_s_init.nets, lambda: test_s_init.nets(relu_he=0.7)),
    "s_init_standard_normal": _one("widths", lambda: _normal(1.0), lambda: _normal(5.6)),
    "s_lr": _many(lambda: test_s_lr.sweeps(0.3), lambda: test_s_lr.sweeps(0.15)),
    "s_product": Case(test_s_product.sweeps, lambda folder: test_s_product.sweeps(folder, tamper=0.5)),
    "s_small_lr": _one("rates", lambda: test_s_small_lr.nets(end=0.01), test_s_small_lr.nets),
    "s_vanish": _one("depths", lambda: test_pilots.nets(0.23), lambda: test_pilots.nets(1.2)),
}
