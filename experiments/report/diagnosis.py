"""A diagnosis in words: the lines that say what δ was like, what became of the run, why, and what to try."""

from collections.abc import Mapping
from typing import Any

from experiments.diagnosis.causes import remedies_of
from experiments.diagnosis.convention import differs_elsewhere
from experiments.diagnosis.evidence import causes_of
from experiments.diagnosis.outcome import ILL
from experiments.text.numbers import missing, number
from experiments.text.words import words

OF_THE_FIRST_EDITION = "not recorded: these results are of the first edition; run the sweep again to have its runs diagnosed"


def lines(run: Mapping[Any, Any]) -> list[str]:
    """Return the diagnosis of one run.

    Args:
        run: its row of the runs table.

    Returns:
        Lines for signal, outcome, causes, verdict and what to try next.
    """
    if run["status"] == "failed":
        return [f"outcome: failed: {str(run['error']).splitlines()[0]}"]
    if missing(run.get("signal")):
        return [f"verdict: {run['verdict']}", f"signal, outcome and causes: {OF_THE_FIRST_EDITION}"]
    found = causes_of(run)
    text = [f"signal: {run['signal']}: {run['signal_reason']}", f"outcome: {_became(run)}"]
    for place, cause in enumerate(found):
        since = "from the start" if cause["when"] == "start" else f"in training, step {cause['step']}"
        text.append(f"{'cause' if place == 0 else '  and'}: {words(cause['cause'])} ({since}): {cause['evidence']}")
    text.append(f"verdict: {run['verdict']}: {run['verdict_reason']}")
    return [*text, *_convention(run, found), *_next(found)] if run["outcome"] in ILL else text


def _convention(run: Mapping[Any, Any], found: list[dict[str, Any]]) -> list[str]:
    """Say in which convention a learning rate that is in question is meant, where the mean over outputs is another."""
    in_question = any(cause["cause"].startswith("learning_rate") for cause in found)
    if not in_question or not differs_elsewhere(run):
        return []
    return [f"lr: of {run['loss']} summed over outputs; one from PyTorch or Keras, whose losses are means, fits with loss.reduction=mean"]


def _became(run: Mapping[Any, Any]) -> str:
    if run["outcome"] == "untrained":
        return "untrained: steps=0"
    if run["outcome"] == "diverged":
        where = "" if missing(run["nonfinite_layer"]) else f" of layer {run['nonfinite_layer']:.0f}"
        first = "" if missing(run["nonfinite_quantity"]) else f": {run['nonfinite_quantity']}{where} is the first that is not finite"
        return f"diverged at step {run['diverged_at_step']:.0f}{first}"
    guess = "" if missing(run["baseline_accuracy"]) else f", accuracy {number(run['baseline_accuracy'])}"
    return f"{run['outcome']}; skill {number(run['skill'])} over the best constant output (loss {number(run['baseline_loss'])}{guess})"


def _next(found: list[dict[str, Any]]) -> list[str]:
    """Say what to try, by what the causes point to."""
    pointed = remedies_of(cause["cause"] for cause in found)
    if not pointed:
        return []
    first = ", ".join(words(name) for name in pointed[:3])
    return [f"next: {first}; `gradstab remedies` with the same settings measures what helps"]
