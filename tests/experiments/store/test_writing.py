from experiments.store.columns import TABLES
from tests.experiments.helpers import sweep


def test_the_tables_have_the_same_bytes_each_time(tmp_path):
    first = sweep(tmp_path, "depth=2", "seed=0,1", "steps=2", name="a")
    second = sweep(tmp_path, "depth=2", "seed=0,1", "steps=2", name="b")
    for name in ("runs", *TABLES):
        assert (first.path / f"{name}.parquet").read_bytes() == (second.path / f"{name}.parquet").read_bytes(), name
