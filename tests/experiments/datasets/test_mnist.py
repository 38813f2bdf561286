import gzip
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from experiments.datasets.mnist import MNIST_FILES, mnist
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
        images, labels = MNIST_FILES[split]
        write_idx(tmp_path / images, rng.integers(0, 256, (count, 3, 2)))
        write_idx(tmp_path / labels, np.arange(count) % 10)
    return tmp_path


class TestMnist:
    def test_it_takes_the_first_examples_of_the_file(self, mnist_like):
        data = mnist(dir=str(mnist_like), n_samples=5, standardize=False)
        np.testing.assert_array_equal(data.y.argmax(axis=0), np.arange(5))
        assert data.x.shape == (6, 5)
        assert 0 <= data.x.min() <= data.x.max() <= 1

    def test_the_test_set_is_the_other_file(self, mnist_like):
        assert mnist(dir=str(mnist_like), n_samples=5).test_x.shape[1] == 8

    def test_of_the_test_file_the_rest_is_the_test_set(self, mnist_like):
        assert mnist(dir=str(mnist_like), split="test", n_samples=5).test_x.shape[1] == 3

    def test_uncompressed_files_do(self, tmp_path):
        images, labels = MNIST_FILES["train"]
        write_idx(tmp_path / images.removesuffix(".gz"), np.zeros((4, 2, 2)), compress=False)
        write_idx(tmp_path / labels.removesuffix(".gz"), np.arange(4), compress=False)
        assert mnist(dir=str(tmp_path), n_samples=3).x.shape == (4, 3)

    def test_missing_files_say_what_to_do(self, tmp_path):
        with pytest.raises(UserError, match=r"train-images.*not found.*gradstab data mnist.*data\.dir"):
            mnist(dir=str(tmp_path))

    def test_a_missing_split_points_to_the_other(self, mnist_like):
        (mnist_like / MNIST_FILES["train"][0]).unlink()
        with pytest.raises(UserError, match=r"data\.split=test"):
            mnist(dir=str(mnist_like))

    def test_the_environment_names_the_folder(self, mnist_like, monkeypatch):
        (mnist_like / "mnist").mkdir()
        for names in MNIST_FILES.values():
            for name in names:
                (mnist_like / name).rename(mnist_like / "mnist" / name)
        monkeypatch.setenv("GRADSTAB_DATA", str(mnist_like))
        assert mnist(n_samples=3).x.shape == (6, 3)

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
        path = mnist_like / MNIST_FILES["train"][0]
        path.write_bytes(damage(path.read_bytes()))
        with pytest.raises(UserError, match=words) as caught:
            mnist(dir=str(mnist_like))
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)

    def test_labels_that_do_not_match_are_refused(self, mnist_like):
        write_idx(mnist_like / MNIST_FILES["train"][1], np.arange(7))
        with pytest.raises(UserError, match="do not match"):
            mnist(dir=str(mnist_like))

    def test_too_many_samples_are_refused(self, mnist_like):
        with pytest.raises(ValueError, match="1 to 20"):
            mnist(dir=str(mnist_like), n_samples=21)


@pytest.mark.skipif(not os.environ.get("GRADSTAB_DATA"), reason="needs GRADSTAB_DATA with real MNIST files")
class TestRealMnist:
    def test_the_test_file_is_the_canonical_one(self):
        path = Path(os.environ["GRADSTAB_DATA"]) / "mnist" / "t10k-images-idx3-ubyte.gz"
        assert hashlib.md5(path.read_bytes()).hexdigest() == "9fb629c4189551a2d022fa330f9573f3"

    def test_it_loads_with_known_labels(self):
        data = mnist(split="test", n_samples=1000, standardize=False)
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
