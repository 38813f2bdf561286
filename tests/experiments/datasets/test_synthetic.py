import numpy as np
import pytest

from experiments.datasets.synthetic import chebyshev, line, modes, point


def test_chebyshev_is_the_polynomial():
    data = chebyshev(n_samples=21, degree=4)
    np.testing.assert_allclose(data.y[0], np.cos(4 * np.arccos(data.x[0])), atol=1e-14)


def test_line_is_a_grid_with_its_sine():
    data = line(n_samples=5, low=-1, high=3)
    assert data.x.tolist() == [[-1, 0, 1, 2, 3]]
    np.testing.assert_array_equal(data.y, np.sin(data.x))
    assert data.classes is None
    with pytest.raises(ValueError, match=r"`high` must be a finite number > low = 2, got 1"):
        line(low=2, high=1)


def test_point_is_one_example():
    data = point(x=0.5, y=-3)
    assert (data.x.tolist(), data.y.tolist(), data.classes, data.test_x) == ([[0.5]], [[-3.0]], None, None)
    assert data.checksum != point(x=-3, y=0.5).checksum
    with pytest.raises(ValueError, match="`y` must be a finite number, got nan"):
        point(y=float("nan"))


class TestModes:
    def test_inputs_are_white_and_the_correlation_has_the_strengths(self):
        data = modes(n_modes=3, strength=6.0, n_features=7, n_outputs=4, seed=1)
        assert data.x.shape == (7, 14)
        np.testing.assert_allclose(data.x @ data.x.T / 14, np.eye(7), atol=1e-14)
        np.testing.assert_allclose(data.x.sum(axis=1), 0, atol=1e-14)
        values = np.linalg.svd(data.y @ data.x.T / 14, compute_uv=False)
        np.testing.assert_allclose(values, [6, 4, 2, 0], atol=1e-13)

    def test_the_seed_turns_the_modes(self):
        assert modes(seed=0).checksum == modes(seed=0).checksum != modes(seed=1).checksum

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"n_modes": 0}, "`n_modes` must be an integer from 1 to 8, .*got 0"),
            ({"n_modes": 9}, "`n_modes` must be an integer from 1 to 8, .*got 9"),
            ({"strength": 0.0}, "`strength` must be a finite number > 0"),
            ({"n_features": 0}, "`n_features`"),
        ],
    )
    def test_bad_arguments_are_refused(self, arguments, words):
        with pytest.raises(ValueError, match=words):
            modes(**arguments)
