"""Validation of a run's configuration: every key alone, and the keys together; each refusal is one line that says how to fix it."""

import math

import numpy as np

from bpcore.losses import Loss
from experiments.config.building import built, facts
from experiments.config.checking import check_group, check_scalar
from experiments.config.files import choice
from experiments.config.identity import run_id
from experiments.config.keys import GROUPS, SCALARS, SETTLED, Config, Record
from experiments.config.lengths import steps_of
from experiments.config.outputs import check_outputs, settle
from experiments.config.run import Run
from experiments.config.shape import listed, settle_shape
from experiments.errors import UserError
from experiments.text.quoting import quote, shortened


def validate(config: Config, index: int = 0, overrides: tuple[str, ...] = ()) -> Run:
    """Check every key of a composed config, alone and together.

    Args:
        config: as composed by Hydra, resolved to plain containers.
        index: place in the sweep, from 0.
        overrides: the task overrides that Hydra composed it from.

    Returns:
        The run, its config with values of their declared types.

    Raises:
        UserError: a key is unknown, of the wrong type, out of range, or does not go with another.
    """
    for key in config:
        if key not in SCALARS and key not in GROUPS:
            raise UserError(f"unknown key `{shortened(key)}`; keys: {', '.join([*SCALARS, *GROUPS])}")
    config = {**dict.fromkeys(SETTLED), **config}  # which a validated config has no more: its activation and its steps say it
    missing = [key for key in (*SCALARS, *GROUPS) if key not in config]
    if missing:
        raise UserError(f"`{missing[0]}` is missing; leave out ~{missing[0]}, every key has a default")
    checked = {key: check_scalar(key, config[key]) for key in SCALARS}
    epochs = checked.pop("epochs")
    checked["loss"] = check_group("loss", config["loss"])
    checked = settle_shape({**checked, "activation": config["activation"]})
    config = {**config, "activation": checked["activation"], "data": settle(config["data"], built(Loss, checked["loss"]))}
    by_layer = isinstance(config["activation"], dict) and listed(str(config["activation"].get("name"))) is not None
    checked |= {group: check_group(group, config[group]) for group in GROUPS if not (group == "activation" and by_layer)}
    checked["steps"] = steps_of(checked["steps"], epochs, facts(checked["data"]).n_examples, checked["batch_size"])
    run = Run(index, checked, run_id(checked), overrides)
    _check_place(run.name, run.results_dir)
    _check_record(run.record)
    _check_together(run)
    return run


def _check_place(name: str | None, results_dir: str) -> None:
    if name is not None and (name in ("", ".", "..") or "/" in name or "\\" in name or not name.isprintable() or len(name.encode()) > 200):
        raise UserError(f"`name` must be a plain folder name, got {quote(name)}; the parent goes into results_dir")
    if not results_dir or not results_dir.isprintable():
        raise UserError(f"`results_dir` must be a folder, got {quote(results_dir)}; . is the current one")


def _check_record(record: Record) -> None:
    if record.name not in ("light", "full"):
        raise UserError(f"`record` must be light or full, got {quote(record.name)}")
    if record.every < 1:
        raise UserError(f"`record.every` must be an integer ≥ 1, got {record.every}")
    if record.snapshot is not None and record.snapshot < 0:
        raise UserError(f"`record.snapshot` must be a step ≥ 0 or null, got {record.snapshot}")


def _check_together(run: Run) -> None:
    loss, data, name = run.loss, run.facts, run.choice("data")
    output: str = run.config["output_activation"]
    choice("activation", output, key="output_activation")
    if loss.takes_logits and output != "identity":
        raise UserError(
            f"`output_activation` must be identity with loss={loss.name}, which takes logits, got {output}; use loss=mse for another"
        )
    if (loss.needs_classes and data.classes is None) or (loss.takes_logits and data.classes is None and not data.probabilities):
        raise UserError(f"loss={loss.name} needs classes, but data={name} is a regression; use loss=mse")
    check_outputs(loss, data, name)
    if run.record.modes:
        _check_linear(run, output)
    if run.record.test and not data.n_test:
        raise UserError(f"`record.test` needs test examples, but data={name} has none; leave record.test out")
    if run.m > data.n_examples:
        raise UserError(
            f"`batch_size` must be at most the {data.n_examples} training examples of data={name}, "
            f"got {run.batch_size}; lower it or raise data.n_samples"
        )
    if run.normalization.needs_batch and run.m < 2:
        raise UserError("`batch_size` must be ≥ 2 with batch normalization, whose variance over one example is 0; raise it")
    for n in [run.width] if isinstance(run.width, int) else run.width:
        if not run.normalization.fits(n):
            groups = run.config["normalization"].get("groups")
            raise UserError(f"`normalization.groups` must divide every width, got {groups} for {n} units; choose another")
    _check_skip(run)
    _check_parametrization(run)
    if run.dtype == "float32":
        _check_representable(run)
    if run.record.snapshot is not None and run.record.snapshot > run.steps:
        raise UserError(f"`record.snapshot` must be at most steps={run.steps}, got {run.record.snapshot}; lower it")


def _check_skip(run: Run) -> None:
    """Refuse hidden layers that are no whole blocks, and a normalization after the addition that does not stand there."""
    skip, norm = run.skip, run.normalization
    if not skip.fits(run.depth):
        raise UserError(f"`depth` must be odd with skip=block, whose blocks of two layers follow layer 1, got {run.depth}; add one")
    if skip.post and norm.active and norm.after != skip.onto_a:
        place, sum_ = ("after", "a") if skip.onto_a else ("before", "z")
        raise UserError(
            f"`normalization.place` must be {place} with skip={skip.name} and skip.norm=post, which normalizes the sum {sum_}; "
            f"take it, or skip.norm=pre"
        )


def _check_parametrization(run: Run) -> None:
    """Refuse weights whose size a parametrization cannot scale as it is published."""
    name, init, variance = run.choice("parametrization"), run.choice("init"), run.init.variance
    if name != "standard" and not variance(1, 1) > 0:
        raise UserError(f"`init` must have random weights with parametrization={name}, which scales their σ_w, here 0; choose another")
    if name == "mup" and run.init.adapt is not None:
        raise UserError(
            f"`init` must not be {init} with parametrization=mup: it sets the output's variance by itself; take init=orthogonal"
        )
    if name == "mup" and not math.isclose(2 * variance(2, 2), variance(1, 1)):
        raise UserError(
            f"`init` must have a variance that falls as 1/width with parametrization=mup, which init={init} has not; take init=fan_in or he"
        )


def _check_linear(run: Run, output: str) -> None:
    """Refuse modes of what is no linear map."""
    for key, name in {"activation": run.choice("activation"), "output_activation": output}.items():
        if name != "identity":
            raise UserError(f"`{key}` must be identity with record.modes=true, which needs a linear network, got {name}")
    if run.normalization.active:
        raise UserError("`normalization` must be none with record.modes=true, which needs a linear network; leave record.modes out")
    if run.skip.span:
        raise UserError("`skip` must be none with record.modes=true, which multiplies the matrices W; leave record.modes out")
    if run.dropout.active:
        raise UserError("`dropout.rate` must be 0 with record.modes=true, which needs a linear network; leave record.modes out")


def _check_representable(run: Run) -> None:
    """Refuse a nonzero setting that float32 turns into 0 or infinity: the tables would state what was not done."""
    settings = {"lr": run.lr, "bias_lr_factor": run.bias_lr_factor, "weight_decay": run.weight_decay}
    settings["skip.scale"] = run.skip.alpha(run.sizes)
    settings["clip.threshold"] = run.config["clip"].get("threshold", 1.0)
    if run.steps:
        settings["lr of the last update"] = run.lr * run.schedule.factor(run.steps - 1, run.steps)
    for key, value in settings.items():
        with np.errstate(all="ignore"):
            rounded = float(np.float32(value))
        if value != 0 and (rounded == 0 or math.isinf(rounded)):
            raise UserError(f"`{key}` must be representable in float32, where {value} becomes {rounded}; use dtype=float64")
