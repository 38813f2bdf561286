"""How the repair chooses among its attempts, judged on held-out examples of ten tables; no test example of the repair bench is among them.

python -m tests.experiments.bench.choosing FOLDER

Every table is divided at random four times, 70 % for training; nets of two sizes are trained as the remedies say, 660 and 2200 steps.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.bench.repair import curing, measuring
from experiments.bench.repair.nets import TABLES, Drawn, quoted
from experiments.config.run import Run
from experiments.diagnosis import remedies

DIVISIONS = 4
SIZES = ((6, 8), (16, 24))
STEPS = (660, 2200)
TRAINING = 700
"""First rows of the bench's own tables, the others being its test examples."""


def tables() -> dict[str, pd.DataFrame]:
    """Return ten tables of classes: the bench's training examples, others of their kind, and real ones."""
    from sklearn import datasets

    made = {
        "blob-3": datasets.make_blobs(700, centers=3, n_features=2, cluster_std=2, random_state=3),
        "blob-7": datasets.make_blobs(700, centers=3, n_features=2, cluster_std=2.5, random_state=7),
        "circle-3": datasets.make_circles(700, noise=0.1, random_state=3),
        "moons": datasets.make_moons(700, noise=0.3, random_state=1),
        "wine": datasets.load_wine(return_X_y=True),
        "cancer": datasets.load_breast_cancer(return_X_y=True),
        "iris": datasets.load_iris(return_X_y=True),
        "hard": datasets.make_classification(700, 10, n_informative=5, n_classes=3, flip_y=0.1, random_state=0),
    }
    found = {name: pd.DataFrame(x).add_prefix("x").assign(**{"class": y}) for name, (x, y) in made.items()}
    return {name: pd.read_csv(TABLES / f"{name}.csv").iloc[:TRAINING] for name in ("blob", "circle")} | found


def patients(folder: Path) -> dict[tuple[str, int, int, tuple[int, int]], Run]:
    """Write the divided tables, and return the nets to which the remedies are applied."""
    found = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables().items():
        for division in range(DIVISIONS):
            path = (folder / f"{name}-{division}.csv").resolve()
            table.sample(frac=1, random_state=division).to_csv(path, index=False)
            data = ["data=table", f"data.path={quoted(path)}", "data.target=class", "data.seed=null", "data.test_fraction=0.3"]
            data += ["data.standardize=false", "data.outputs=one_hot", "loss=softmax_cross_entropy", "batch_size=32", "seed=1"]
            for steps in STEPS:
                for depth, width in SIZES:
                    words = (*data, f"steps={steps}", f"record.every={steps}", f"depth={depth}", f"width={width}")
                    (found[name, division, steps, (depth, width)],) = measuring.composed("blob", [Drawn(words, raw=True)])
    return found


def measure(folder: Path) -> pd.DataFrame:
    """Return held-out loss and accuracy of what every rule takes, a row a net and rule."""
    nets = patients(folder)
    names = ("linear_net", "small_net", "anew")
    tried = [[candidate.run for candidate in remedies.proposed(run, names)] for run in nets.values()]
    rows = measuring.trained([run for several in tried for run in several], folder, "attempts").to_dict("records")
    found = []
    for (name, *_), several in zip(nets, tried, strict=True):
        own, rows = rows[: len(several)], rows[len(several) :]
        without = own[:-1]  # anew is the last
        rules = {
            "linear net": own[0],
            "small net": own[1],
            "anew": own[-1],
            "best on the training examples": own[int(np.argmax([row["skill"] for row in own]))],
            "the first that does as well, anew among them": own[curing.best(own)],
            "the first that does as well": without[curing.best(without)],
        }
        found += [{"table": name, "rule": rule, "loss": row["test_loss"], "accuracy": row["test_accuracy"]} for rule, row in rules.items()]
    return pd.DataFrame(found)


if __name__ == "__main__":
    result = measure(Path(sys.argv[1]))
    for column in ("loss", "accuracy"):
        wide = result.pivot_table(index="rule", columns="table", values=column)
        print(f"held-out {column}", wide.assign(mean=wide.mean(axis=1)).round(3).to_string(), sep="\n")
