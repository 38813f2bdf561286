"""What happens over training steps, drawn."""

from pathlib import Path
from typing import Any

import numpy as np

from experiments.figures import accuracy, loss
from tests.experiments.conftest import made
from tests.experiments.figures.test_figures import drawn, lines, table_of


def test_the_test_examples_stand_beside_the_batch_where_they_were_evaluated(base: dict[str, Any], tmp_path: Path) -> None:
    words = ["depth=1", "width=8", "steps=6", "record.every=2", "seed=0,1"]
    for module, column in ((loss, "test_loss"), (accuracy, "test_accuracy")):
        for asked in ("true", "false"):
            results = made(base, tmp_path / f"{column}-{asked}", [*words, f"record.test={asked}"])
            table = table_of(module, results)
            dashed = lines(drawn(module, table), "beside_mean")
            assert ("Dashed: o" in module.caption(table)) == (asked == "true")
            if asked == "false":
                assert not dashed
                continue
            values = results.steps.groupby("step")[column]
            expected = np.exp(values.agg(lambda x: np.log(x).mean())) if module is loss else values.mean()
            np.testing.assert_allclose(dashed[0][1], expected, rtol=1e-12)
