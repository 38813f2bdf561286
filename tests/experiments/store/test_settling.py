import threading

import pandas as pd
import pytest

from experiments.errors import UserError
from experiments.store import settling
from experiments.store.columns import TABLES
from experiments.store.files import Staging
from experiments.store.settling import stage_tables

WAIT = 30
"""Seconds after which a writer that nobody wakes breaks off."""


@pytest.mark.parametrize("first", TABLES)
def test_one_failure_makes_no_other_while_the_rest_is_still_written(tmp_path, monkeypatch, first):
    """The other tables are half-written when the disk fills up for one of them, and get whole only after that."""
    begun, failed, whole = threading.Barrier(len(TABLES)), threading.Event(), []

    class Watched(Staging):
        def add(self, name, write):
            try:
                super().add(name, write)
                whole.append(name)
            finally:
                if name == f"{first}.parquet":
                    failed.set()

    def write(path, name, pieces):
        path.write_text("half")
        begun.wait(WAIT)
        if name == first:
            raise OSError(28, "No space left on device")
        assert failed.wait(WAIT)

    monkeypatch.setattr(settling, "write_pieces", write)
    staging = Watched(tmp_path)
    with pytest.raises(UserError, match=rf"{first}\.parquet: No space left on device"):
        stage_tables(staging, pd.DataFrame({"run_id": []}), [], {name: [] for name in TABLES})
    assert sorted(whole) == sorted(f"{name}.parquet" for name in TABLES if name != first)
    staging.discard()
    assert list(tmp_path.iterdir()) == []
