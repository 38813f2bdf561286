import gzip
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from experiments.datasets import factories
from experiments.errors import UserError


def write_idx(path: Path, array: np.ndarray, compress: bool = True) -> bytes:
    content = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if compress else content)
    return content


@pytest.fixture
def mnist_like(tmp_path):
    """A folder with both splits in MNIST's format, of 3×2 pixels."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 8)):
        images, labels = factories.MNIST_FILES[split]
        write_idx(tmp_path / images, rng.integers(0, 256, (count, 3, 2)))
        write_idx(tmp_path / labels, np.arange(count) % 10)
    return tmp_path


FACTORIES = {
    "digits": (factories.digits, {"n_samples": 100}, 64, 10),
    "gaussian": (factories.gaussian, {"n_samples": 100, "n_features": 7, "n_classes": 4}, 7, 4),
    "spirals": (factories.spirals, {"n_samples": 100, "n_classes": 3}, 2, 3),
    "chebyshev": (factories.chebyshev, {"n_samples": 100, "degree": 3}, 1, 1),
    "line": (factories.line, {"n_samples": 100}, 1, 1),
}


@pytest.mark.parametrize("name", FACTORIES)
class TestEveryDataSet:
    def test_shapes(self, name):
        factory, arguments, n_0, n_out = FACTORIES[name]
        data = factory(**arguments)
        assert data.x.shape == (n_0, 100)
        assert data.y.shape == (n_out, 100)
        assert data.x.dtype == data.y.dtype == np.float64
        if data.classes is not None:
            np.testing.assert_array_equal(data.y.sum(axis=0), 1)
        if data.test_x is not None:
            assert data.test_x.shape[0] == n_0
            assert data.test_y.shape[0] == n_out

    def test_the_same_arguments_give_the_same_checksum_and_others_another(self, name):
        factory, arguments, *_ = FACTORIES[name]
        assert factory(**arguments).checksum == factory(**arguments).checksum
        assert factory(**{**arguments, "n_samples": 99}).checksum != factory(**arguments).checksum

    def test_standardizing_brings_features_to_mean_0_and_variance_1(self, name):
        factory, arguments, *_ = FACTORIES[name]
        x = factory(**arguments, standardize=True).x
        varies = x.std(axis=1) > 0
        np.testing.assert_allclose(x[varies].std(axis=1), 1)
        np.testing.assert_array_less(np.abs(x.mean(axis=1)), 1e-12)
        assert varies.any()

    def test_no_samples_are_refused(self, name):
        factory, arguments, *_ = FACTORIES[name]
        with pytest.raises(ValueError, match="`n_samples`"):
            factory(**{**arguments, "n_samples": 0})

    def test_the_global_generator_is_not_touched(self, name):
        factory, arguments, *_ = FACTORIES[name]
        before = np.random.get_state()[1].copy()  # noqa: NPY002  it is what must not move
        factory(**arguments)
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_digits_train_and_test_are_disjoint_and_complete():
    data = factories.digits(n_samples=1000, standardize=False)
    assert data.x.shape[1] + data.test_x.shape[1] == 1797
    everything = {column.tobytes() for part in (data.x, data.test_x) for column in np.ascontiguousarray(part.T)}
    from sklearn.datasets import load_digits

    assert everything == {row.tobytes() for row in load_digits().data / 16.0}


def test_digits_read_directly_are_scikit_learns():
    from sklearn.datasets import load_digits

    pixels, labels = factories._read_digits()
    np.testing.assert_array_equal(pixels, load_digits().data)
    np.testing.assert_array_equal(labels, load_digits().target)


def test_digits_in_file_order():
    from sklearn.datasets import load_digits

    np.testing.assert_array_equal(factories.digits(n_samples=5, shuffle=False, standardize=False).x, load_digits().data[:5].T / 16)


def test_chebyshev_is_the_polynomial():
    data = factories.chebyshev(n_samples=21, degree=4)
    np.testing.assert_allclose(data.y[0], np.cos(4 * np.arccos(data.x[0])), atol=1e-14)


def test_line_is_a_grid_with_its_sine():
    data = factories.line(n_samples=5, low=-1, high=3)
    assert data.x.tolist() == [[-1, 0, 1, 2, 3]]
    np.testing.assert_array_equal(data.y, np.sin(data.x))
    assert data.classes is None
    with pytest.raises(ValueError, match=r"`high` must be a finite number > low = 2, got 1"):
        factories.line(low=2, high=1)


def test_point_is_one_example():
    data = factories.point(x=0.5, y=-3)
    assert (data.x.tolist(), data.y.tolist(), data.classes, data.test_x) == ([[0.5]], [[-3.0]], None, None)
    assert data.checksum != factories.point(x=-3, y=0.5).checksum
    with pytest.raises(ValueError, match="`y` must be a finite number, got nan"):
        factories.point(y=float("nan"))


class TestModes:
    def test_inputs_are_white_and_the_correlation_has_the_strengths(self):
        data = factories.modes(n_modes=3, strength=6.0, n_features=7, n_outputs=4, seed=1)
        assert data.x.shape == (7, 14)
        np.testing.assert_allclose(data.x @ data.x.T / 14, np.eye(7), atol=1e-14)
        np.testing.assert_allclose(data.x.sum(axis=1), 0, atol=1e-14)
        values = np.linalg.svd(data.y @ data.x.T / 14, compute_uv=False)
        np.testing.assert_allclose(values, [6, 4, 2, 0], atol=1e-13)

    def test_the_seed_turns_the_modes(self):
        assert factories.modes(seed=0).checksum == factories.modes(seed=0).checksum != factories.modes(seed=1).checksum

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
            factories.modes(**arguments)


class TestMnist:
    def test_it_takes_the_first_examples_of_the_file(self, mnist_like):
        data = factories.mnist(dir=str(mnist_like), n_samples=5, standardize=False)
        np.testing.assert_array_equal(data.y.argmax(axis=0), np.arange(5))
        assert data.x.shape == (6, 5)
        assert 0 <= data.x.min() <= data.x.max() <= 1

    def test_the_test_set_is_the_other_file(self, mnist_like):
        assert factories.mnist(dir=str(mnist_like), n_samples=5).test_x.shape[1] == 8

    def test_of_the_test_file_the_rest_is_the_test_set(self, mnist_like):
        assert factories.mnist(dir=str(mnist_like), split="test", n_samples=5).test_x.shape[1] == 3

    def test_uncompressed_files_do(self, tmp_path):
        images, labels = factories.MNIST_FILES["train"]
        write_idx(tmp_path / images.removesuffix(".gz"), np.zeros((4, 2, 2)), compress=False)
        write_idx(tmp_path / labels.removesuffix(".gz"), np.arange(4), compress=False)
        assert factories.mnist(dir=str(tmp_path), n_samples=3).x.shape == (4, 3)

    def test_missing_files_say_what_to_do(self, tmp_path):
        with pytest.raises(UserError, match=r"train-images.*not found.*gradstab data mnist.*data\.dir"):
            factories.mnist(dir=str(tmp_path))

    def test_a_missing_split_points_to_the_other(self, mnist_like):
        (mnist_like / factories.MNIST_FILES["train"][0]).unlink()
        with pytest.raises(UserError, match=r"data\.split=test"):
            factories.mnist(dir=str(mnist_like))

    def test_the_environment_names_the_folder(self, mnist_like, monkeypatch):
        (mnist_like / "mnist").mkdir()
        for names in factories.MNIST_FILES.values():
            for name in names:
                (mnist_like / name).rename(mnist_like / "mnist" / name)
        monkeypatch.setenv("GRADSTAB_DATA", str(mnist_like))
        assert factories.mnist(n_samples=3).x.shape == (6, 3)

    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            (lambda raw: raw[: len(raw) // 2], "cannot read"),
            (lambda raw: gzip.compress(gzip.decompress(raw)[:-3]), "truncated"),
            (lambda raw: gzip.compress(gzip.decompress(raw)[:6]), "truncated"),
            (lambda raw: gzip.compress(b""), "magic"),
            (lambda raw: gzip.compress(b"not an idx file"), "magic"),
            (lambda raw: b"neither gzip", "cannot read"),
            (lambda raw: gzip.compress(gzip.decompress(raw) + b"xx"), "overlong"),
        ],
        ids=["half", "three bytes short", "header only", "empty", "text", "no gzip", "overlong"],
    )
    def test_a_damaged_file_is_refused_in_one_line(self, mnist_like, damage, words):
        path = mnist_like / factories.MNIST_FILES["train"][0]
        path.write_bytes(damage(path.read_bytes()))
        with pytest.raises(UserError, match=words) as caught:
            factories.mnist(dir=str(mnist_like))
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)

    def test_labels_that_do_not_match_are_refused(self, mnist_like):
        write_idx(mnist_like / factories.MNIST_FILES["train"][1], np.arange(7))
        with pytest.raises(UserError, match="do not match"):
            factories.mnist(dir=str(mnist_like))

    def test_too_many_samples_are_refused(self, mnist_like):
        with pytest.raises(ValueError, match="1 to 20"):
            factories.mnist(dir=str(mnist_like), n_samples=21)


@pytest.mark.skipif(not os.environ.get("GRADSTAB_DATA"), reason="needs GRADSTAB_DATA with real MNIST files")
class TestRealMnist:
    def test_the_test_file_is_the_canonical_one(self):
        path = Path(os.environ["GRADSTAB_DATA"]) / "mnist" / "t10k-images-idx3-ubyte.gz"
        assert hashlib.md5(path.read_bytes()).hexdigest() == "9fb629c4189551a2d022fa330f9573f3"

    def test_it_loads_with_known_labels(self):
        data = factories.mnist(split="test", n_samples=1000, standardize=False)
        assert data.y.argmax(axis=0)[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
        assert data.x.shape == (784, 1000)
        assert data.test_x.shape == (784, 9000)

    def test_nielsens_net_vanishes_on_it(self, tmp_path):
        from tests.experiments.helpers import sweep

        results = sweep(
            tmp_path, "data=mnist", "data.split=test", "data.n_samples=1000", "data.standardize=false", "width=30", "depth=4",
            "activation=sigmoid", "loss=sigmoid_cross_entropy", "init.bias_std=1", "steps=0", "seed=range(5)",
        )  # fmt: skip
        # Mean field gives 0.2048 per layer at the fixed point of the variance.
        assert results.runs["delta_factor"].between(0.17, 0.24).all()
        assert set(results.runs["verdict"]) == {"vanishing"}
