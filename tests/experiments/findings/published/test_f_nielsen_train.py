"""Nielsen's trainings: tables with his ratios and the layers in order, and tables without."""

import numpy as np
import pytest

from tests.experiments.findings.tables import Run, judged, run

RATIOS = {3: {0: 23.9, 100: 17.2, 499: 14.7}, 4: {0: 95.8, 100: 52.4, 499: 112.6}}
OWN = {0: 4.7, 100: 1.2, 499: 2.8}


def net(ratios: dict[int, float], depth: int, seed: int, data: str = "mnist") -> Run:
    """Return a net whose norms grow geometrically with the layer, to the given ratios of the last over the first."""
    rows = [(step, layer, ratio ** ((layer - 1) / (depth - 1))) for step, ratio in ratios.items() for layer in range(1, depth + 1)]
    steps, layers, norms = (np.array(column) for column in zip(*rows, strict=True))
    columns = {"step": steps, "layer": layers, "delta_mean_norm": norms}
    return run(2 * norms, None, columns, depth=depth, seed=seed, data=data, **{"data.split": "test"})


def nets(change: float = 1.0, data: str = "mnist", swapped: bool = False) -> list[Run]:
    runs = []
    for depth, ratios in RATIOS.items():
        for seed in range(5):
            scatter = change * float(np.exp(np.random.default_rng([seed, depth]).normal(scale=0.2)))
            runs.append(net({step: ratio * scatter for step, ratio in ratios.items()}, depth, seed, data))
    if swapped:
        norms = runs[0]["layers"]["delta_mean_norm"]
        norms[[0, 1]] = norms[[1, 0]]
    return runs


class TestDeep:
    def test_it_holds(self) -> None:
        estimate, _ = judged("f_nielsen_train", {"training": nets()})
        assert estimate.verdict == "reproduced"
        assert estimate.published == 52.4
        assert estimate.measured == pytest.approx(52.4, rel=0.2)
        assert len(estimate.tables["numbers"]) == 6

    def test_other_images_are_a_caveat(self) -> None:
        assert judged("f_nielsen_train", {"training": nets(data="digits")})[0].verdict == "caveat"

    @pytest.mark.parametrize("change", [{"change": 6.0}, {"swapped": True}])
    def test_it_fails_with_other_ratios_or_one_layer_out_of_order(self, change: dict[str, float]) -> None:
        assert judged("f_nielsen_train", {"training": nets(**change)})[0].verdict == "not_reproduced"  # type: ignore[arg-type]


class TestTwoLayers:
    def test_one_net_in_five_out_of_order_refutes_it(self) -> None:
        runs = [net(OWN | ({100: 0.9} if seed == 3 else {}), 2, seed) for seed in range(5)]
        estimate, _ = judged("f_nielsen_train_k2", {"training": runs})
        assert estimate.verdict == "refuted"
        assert estimate.measured == pytest.approx(0.2)

    def test_it_holds_where_the_order_is_kept(self) -> None:
        assert judged("f_nielsen_train_k2", {"training": [net(OWN, 2, seed) for seed in range(5)]})[0].verdict == "reproduced"
