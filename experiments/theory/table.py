"""What theory says of a configuration, without running it: as values, as text, as rows of a table."""

import itertools
import math
from typing import Any

import numpy as np

from bpcore import theory
from bpcore.activation import Activation
from bpcore.example_normalization import PerExample
from bpcore.network import Network
from bpcore.normalization import PLACES
from experiments.config.identity import cell, flatten
from experiments.config.keys import Config
from experiments.config.run import Run
from experiments.config.shape import listed
from experiments.text.numbers import count, label, number
from experiments.text.tables import from_records
from experiments.theory.prediction import Prediction, predict

DTYPES = ("float16", "float32", "float64")

_BN_DEPTH = 16.0
"""Trainable depth under batch normalization is about 16/ln(rate) (Yang et al. 2019, §5)."""


def describe(run: Run) -> dict[str, Any]:
    """Return what theory says of one configuration.

    Args:
        run: validated.

    Returns:
        Plain values, NaN where there is no theory: σ_w² and σ_b² of the hidden layers, q_star, chi_1, c_star, xi_q, xi_c,
        xi_grad, trainable_depth and phase of the infinitely deep net; delta_factor, its spread and the norms of δ of this
        net on these data; layers until δ underflows, by dtype.
    """
    prediction = predict(run)
    sigma_w2, sigma_b2 = _sigmas(run)
    values: dict[str, Any] = {
        "activation": run.choice("activation"),
        "normalization": run.choice("normalization"),
        "skip": run.choice("skip"),
        "depth": run.depth,
        "width": cell(run.width),
        "sigma_w2": sigma_w2,
        "sigma_b2": sigma_b2,
        "dropout_rate": run.dropout.rate,
    }
    values |= _infinite(run, sigma_w2, sigma_b2)
    values |= _this_net(run.network, prediction)
    values |= _underflow(run.network, prediction, values["factor"])
    return values


def _sigmas(run: Run) -> tuple[float, float]:
    """Return fan-in times Var(W) between hidden layers, and Var(b); NaN where they differ from layer to layer."""
    widths = [run.width] * 2 if isinstance(run.width, int) else run.width
    pairs = list(itertools.pairwise(widths))
    weights = [fan_in * run.init.variance(fan_in, fan_out) for fan_in, fan_out in pairs]
    biases = [run.init.bias_std_at(fan_in) ** 2 for fan_in, _ in pairs]
    first, second = (found[0] if np.allclose(found, found[0], rtol=1e-12, atol=0) else math.nan for found in (weights, biases))
    return first, second


def _infinite(run: Run, sigma_w2: float, sigma_b2: float) -> Config:
    """Return the state of the infinitely wide and deep net."""
    phi, keep = run.activation, run.dropout.keep
    empty = dict.fromkeys(("q_star", "chi_1", "c_star", "chi_c", "xi_q", "xi_c", "xi_grad", "trainable_depth"), math.nan)
    values: dict[str, Any] = {**empty, "phase": "none", "fixed_points": [], "critical_sigma_w": math.nan, "batch_norm_rate": math.nan}
    if run.normalization.needs_batch:
        values["batch_size"] = run.m
    if run.skip.span:  # an error that is added up has no factor of its own
        return {**values, "factor": math.nan, "alpha": run.skip.start(run.sizes), "blocks": len(run.network.sources)}
    if not isinstance(phi, Activation):  # no infinitely deep net is made of layers that differ
        return {**values, "factor": math.nan}
    if run.normalization.needs_batch and not run.normalization.after:
        rate = theory.batch_norm_rate(phi, run.m, keep)
        scale = 1 / abs(math.log(rate)) if rate > 0 and rate != 1 else math.inf if rate == 1 else math.nan
        depth = _BN_DEPTH * scale if not rate < 1 else math.nan
        return {
            **values,
            "batch_norm_rate": rate,
            "xi_grad": scale,
            "trainable_depth": depth,
            "factor": math.sqrt(rate),
        }
    if run.init.adapt is not None:
        return {**values, "factor": math.nan}
    kind = run.normalization
    if isinstance(kind, PerExample) and kind.groups == 1 and not run.init.mean and not (kind.after and math.isnan(sigma_w2)):
        rate = theory.example_norm_rate(phi, sigma_w2 / keep, kind.centered, kind.after)
        return {**values, "example_norm_rate": rate, "factor": math.sqrt(rate) if rate >= 0 else math.nan, "place": PLACES[kind.after]}
    if run.normalization.active or run.init.mean or sigma_w2 == 0 or math.isnan(sigma_w2 + sigma_b2):
        return {**values, "factor": math.nan}
    first = run.init.variance(*run.sizes[:2]) * float((run.data.x**2).sum(axis=0).mean()) + run.init.bias_std_at(run.sizes[0]) ** 2
    with np.errstate(all="ignore"):
        scales = theory.depth_scales(phi, sigma_w2, sigma_b2, first, keep) if 0 < first < 1e100 else None
        points = theory.fixed_points(phi, sigma_w2 / keep, sigma_b2)
    found = [{"q": point.q, "slope": point.slope, "stability": point.stability} for point in points]
    values |= {"fixed_points": found, "critical_sigma_w": math.sqrt(keep) * theory.critical_sigma_w(phi, sigma_b2)}
    if scales is None:
        return {**values, "factor": math.nan}
    state = {"q_star": scales.q, "chi_1": scales.chi_1, "c_star": scales.c, "chi_c": scales.chi_c, "phase": scales.phase}
    lengths = {"xi_q": scales.xi_q, "xi_c": scales.xi_c, "xi_grad": scales.xi_grad, "trainable_depth": scales.trainable_depth}
    return {**values, **state, **lengths, "factor": math.sqrt(scales.chi_1)}


def _this_net(network: Network, prediction: Prediction) -> Config:
    """Return the prediction for a net of this depth and width, on these data."""
    norms = prediction.delta_norm(math.nan)
    hidden = norms[1:-1]
    with np.errstate(all="ignore"):
        ratio = float(hidden[0] / hidden[-1]) if len(hidden) > 1 else math.nan
    slopes = [theory.slopes(phi) for phi in network.hidden]
    gated = [n for n, own in zip(network.sizes[1:-1], slopes, strict=True) if own is not None and own[0] == 0]
    return {
        "delta_factor": prediction.delta_factor,
        "delta_factor_log_std": prediction.factor_log_std,
        "delta_factor_log_bias": prediction.log_bias,
        "delta_factor_low": prediction.band[0],
        "delta_factor_high": prediction.band[1],
        "end_to_end": ratio,
        "delta_norm": [float(norm) for norm in norms],
        "dead_layer_probability": _dead(network, gated),
        "reason": prediction.reason,
    }


def _dead(network: Network, gated: list[int]) -> float:
    if not gated or network.normalization.active:
        return math.nan
    return theory.dead_layer_probability(tuple(gated), network.dropout.keep)


def _underflow(network: Network, prediction: Prediction, factor: float) -> Config:
    """Return after how many hidden layers, from the last one down, entries of δ are subnormal and zero."""
    norms = prediction.delta_norm(math.nan)
    if math.isnan(factor) and not network.skip.span:
        factor = prediction.delta_factor
    start = float(norms[-2] / math.sqrt(network.sizes[-2])) if network.L > 1 else math.nan
    depths = {
        dtype: {
            "subnormal": theory.underflow_depth(factor, start, dtype),
            "zero": theory.underflow_depth(factor, start, dtype, subnormal=True),
            "overflow": theory.overflow_depth(factor, start, dtype),
        }
        for dtype in DTYPES
    }
    return {"underflow_depth": depths}


def as_text(values: dict[str, Any]) -> str:
    """Return the values of `describe` as lines of text, each with its meaning."""

    def of(key: str) -> str:
        return _number(values[key])

    net = f"{count(values['depth'], 'hidden layer')} of {values['width']} {values['activation']} units"
    lines = [f"{net}, σ_w² = {of('sigma_w2')}, σ_b² = {of('sigma_b2')} between hidden layers", ""]
    if values["dropout_rate"]:
        p = _number(1 - values["dropout_rate"])
        lines.append(f"dropout               keeps p = {p}: q* and χ are those of σ_w²/p, c that of σ_w²")
    if "alpha" in values:
        blocks = f"{count(values['blocks'], 'block')}, each times {_number(values['alpha'])}"
        lines.append(f"skip                  {values['skip']}: {blocks}, are added to what is below them; theory goes block by block")
    elif listed(values["activation"]) or math.isnan(values["sigma_w2"]):
        lines.append("layers differ         no infinitely deep net is made of them; theory goes layer by layer")
    elif "example_norm_rate" in values:
        drops = "" if values["place"] == "after" else "; σ_w drops out"
        lines += [
            f"normalization         {values['normalization']}, {values['place']} φ, example by example{drops}",
            f"rate per layer        {of('example_norm_rate')} of ‖δ‖², {of('factor')} of ‖δ‖, without biases",
        ]
    elif values["normalization"] != "none" and math.isnan(values["batch_norm_rate"]):
        lines.append(f"normalization         {values['normalization']}: its infinitely deep net has no theory here")
    elif values["normalization"] != "none":
        lines += [
            f"batch normalization   over {values['batch_size']} examples; σ_w drops out",
            f"rate per layer        {of('batch_norm_rate')} of ‖δ‖², {of('factor')} of ‖δ‖",
            f"ξ_∇                   {of('xi_grad')} layers",
            f"trainable depth       about {of('trainable_depth')} layers, 16/ln of the rate",
        ]
    elif values["depth"] == 0:
        lines.append("no hidden layers: a linear classifier")
    elif values["phase"] != "none":
        points = ", ".join(f"{_number(p['q'])} ({p['stability']})" if not math.isnan(p["q"]) else "every q" for p in values["fixed_points"])
        lines += [
            f"phase                 {values['phase']}",
            f"q*                    {of('q_star')}; fixed points: {points or 'none'}",
            f"χ₁                    {of('chi_1')}: ‖δ‖ changes by {of('factor')} per layer toward the input, deep inside",
            f"c*                    {of('c_star')}",
            f"ξ_q, ξ_c, ξ_∇         {of('xi_q')}, {of('xi_c')}, {of('xi_grad')} layers",
            f"trainable depth       about {of('trainable_depth')} layers, 6 ξ_c",
            f"edge of chaos         {_edge(values)}",
        ]
    else:
        lines.append("no mean-field theory for these weights")
    low, high = values["delta_factor_low"], values["delta_factor_high"]
    about = f", single nets {_number(low)} to {_number(high)} (95 % or more)" if 0 < low < high < math.inf else ""
    lines += [
        "",
        f"on these data         factor {of('delta_factor')} per hidden layer{about}",
        f"end to end            ‖δ^1‖ = {of('end_to_end')} of the last hidden layer's",
        f"‖δ^L‖                 {_number(values['delta_norm'][-1])}",
    ]
    lines += _range_lines(values)
    if not math.isnan(values["dead_layer_probability"]) and values["dead_layer_probability"] > 1e-6:
        lines.append(f"a layer is dead       with probability {of('dead_layer_probability')} for one input")
    if values["reason"]:
        lines.append(f"missing               {values['reason']}")
    return "\n".join(lines)


def _edge(values: dict[str, Any]) -> str:
    if math.isnan(values["critical_sigma_w"]):
        return "none at this σ_b that a net can reach"
    return f"σ_w = {_number(values['critical_sigma_w'])} at this σ_b, σ_w² = {_number(values['critical_sigma_w'] ** 2)}"


def _range_lines(values: dict[str, Any]) -> list[str]:
    depths = values["underflow_depth"]
    under = {d: v for d, v in depths.items() if math.isfinite(v["zero"])}
    over = {d: v for d, v in depths.items() if math.isfinite(v["overflow"])}
    if under:
        words = ", ".join(f"{dtype} {_number(v['subnormal'])} / {_number(v['zero'])}" for dtype, v in under.items())
        return [f"underflow             δ subnormal / 0 after so many layers: {words}"]
    if over:
        words = ", ".join(f"{dtype} {_number(v['overflow'])}" for dtype, v in over.items())
        return [f"overflow              δ infinite after so many layers: {words}"]
    return []


def _number(value: float) -> str:
    return number(value, 4)


def as_table(runs: list[Run], described: list[dict[str, Any]]) -> str:
    """Return one line a configuration: what varies, then what theory says.

    Args:
        runs: of the sweep.
        described: `describe` of each.
    """
    flat = [flatten(run.config) for run in runs]
    axes = [key for key in flat[0] if all(key in row for row in flat) and len({repr(row[key]) for row in flat}) > 1]
    names = {"q*": "q_star", "χ₁": "chi_1", "phase": "phase", "ξ_c": "xi_c", "ξ_∇": "xi_grad", "trainable": "trainable_depth"}
    names |= {"BN rate": "batch_norm_rate", "factor": "delta_factor", "end to end": "end_to_end"}
    if all(math.isnan(values["batch_norm_rate"]) for values in described):
        del names["BN rate"]
    rows = []
    for row, values in zip(flat, described, strict=True):
        cells = {name: values[key] if isinstance(values[key], str) else _number(values[key]) for name, key in names.items()}
        rows.append({**{axis: label(row.get(axis)) for axis in axes}, **cells})
    return from_records(rows).terminal()
