"""The first findings: each where it holds, and where it fails."""

import numpy as np
import pytest

from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, geometric, joined, judged, run

NIELSEN = {2: [0.0657, 0.3092], 3: [0.0118, 0.0600, 0.2831], 4: [0.00298, 0.0171, 0.0695, 0.2851]}


def nets(factor: float) -> list[Run]:
    return joined(*(geometric(factor, depth) for depth in (3, 10, 30)))


class TestVanish:
    def test_it_holds_where_delta_shrinks(self) -> None:
        estimate, _ = judged("s_vanish", {"depths": nets(0.23)})
        assert estimate.verdict == "reproduced"
        assert estimate.measured == pytest.approx(0.23, rel=0.02)
        assert "depth 10" in estimate.quantity
        assert estimate.n == 18

    @pytest.mark.parametrize("factor", [1.0, 1.2])
    def test_it_fails_where_delta_keeps_or_grows(self, factor: float) -> None:
        assert judged("s_vanish", {"depths": nets(factor)})[0].verdict == "not_reproduced"

    def test_a_factor_below_one_with_layers_out_of_order_is_not_enough(self) -> None:
        estimate, _ = judged("s_vanish", {"depths": joined(*(geometric(0.93, depth, scatter=0.1) for depth in (10, 30)))})
        assert estimate.tables["numbers"]["high"].max() < 1
        assert estimate.verdict == "not_reproduced"


class TestNielsen:
    def runs(self, change: float = 1.0, data: str = "mnist", factor: float = 0.208) -> list[Run]:
        runs = []
        for depth, norms in NIELSEN.items():
            for seed in range(12):
                scatter = np.exp(np.random.default_rng([seed, depth]).normal(scale=0.2, size=depth))
                mine = np.append(np.array(norms) * scatter * change, 1.0)
                extra = {"data": data, "data.split": "test", "data.n_samples": 1000, "delta_factor_theory": factor}
                runs.append(run(mine, layers={"delta_mean_norm": mine}, seed=seed, **extra))
        return runs

    def test_his_norms_lie_in_the_band(self) -> None:
        estimate, _ = judged("f_nielsen_init", {"norms": self.runs()})
        assert estimate.verdict == "reproduced"
        assert "test file" in estimate.reason
        assert estimate.tables["numbers"]["inside"].sum() == 9

    def test_other_images_are_a_caveat(self) -> None:
        assert judged("f_nielsen_init", {"norms": self.runs(data="digits")})[0].verdict == "caveat"

    def test_norms_of_another_size_are_not_his(self) -> None:
        assert judged("f_nielsen_init", {"norms": self.runs(change=4.0)})[0].verdict == "not_reproduced"

    def test_another_factor_than_theorys_is_not_reproduced(self) -> None:
        assert judged("f_nielsen_init", {"norms": self.runs(factor=0.3)})[0].verdict == "not_reproduced"


class TestXavierTanh:
    def nets(self, ratio_at_50: float) -> list[Run]:
        return joined(*(geometric(ratio_at_50 ** (1 / 98), depth, scatter=0.01) for depth in (5, 20, 50)))

    def test_a_lost_gradient_refutes_the_claim(self) -> None:
        estimate, entry = judged("f_xavier_tanh", {"depths": self.nets(0.02)})
        assert entry.finding.control
        assert estimate.verdict == "refuted"
        assert estimate.measured == pytest.approx(0.02, rel=0.1)

    def test_a_kept_gradient_would_be_reproduced(self) -> None:
        assert judged("f_xavier_tanh", {"depths": self.nets(1.0)})[0].verdict == "reproduced"

    def test_between_the_two_nothing_is_refuted(self) -> None:
        assert judged("f_xavier_tanh", {"depths": self.nets(0.6)})[0].verdict == "not_reproduced"


class TestPhase:
    CHI = ((1.0, 0.7590), (1.140175425, 0.8802), (1.327026752, 1.0))

    def tables(self, change: float, turned: bool = False) -> dict[str, list[Run]]:
        chi = [geometric((value * change) ** 0.5, 20, **self.setting(scale, 0.2236067977)) for scale, value in self.CHI]
        grid = [(scale, bias, scale < 1.25) for scale in (0.8, 1.7, 2.0) for bias in (0.0, 0.3)]
        cells = [geometric(0.8 if small != turned else 1.2, 20, seeds=1, **self.setting(scale, bias)) for scale, bias, small in grid]
        return {"chi": joined(*chi), "diagram": joined(*cells)}

    def setting(self, scale: float, bias: float) -> dict[str, float]:
        return {"init.scale": scale, "init.bias_std": bias}

    def test_it_holds(self) -> None:
        estimate, _ = judged("f_phase", self.tables(1.0))
        assert estimate.verdict == "reproduced"
        assert estimate.theory == pytest.approx(0.7590, abs=5e-5)

    def test_another_chi_fails(self) -> None:
        assert judged("f_phase", self.tables(1.1))[0].verdict == "not_reproduced"

    def test_cells_on_the_wrong_side_fail(self) -> None:
        assert judged("f_phase", self.tables(1.0, turned=True))[0].verdict == "not_reproduced"


def test_theory_has_the_published_edge_of_chaos() -> None:
    from experiments.findings.published.f_phase import chi_1

    edge = select(["f_phase"])[0].finding.values["edge"]
    for sigma_b2, sigma_w2 in edge.items():
        if sigma_b2 > 0:
            assert chi_1(sigma_w2, sigma_b2) == pytest.approx(1.0, abs=2e-4)
