import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from experiments.store import assembling
from experiments.store.assembling import part_sources, pieces
from experiments.store.parts import PART_SCHEMAS, Part, read_part, write_part
from tests.experiments.store.test_parts import content

ROWS = 3
READ = Part.read


class Counted:
    """A table that counts how often it is asked for its size."""

    def __init__(self, table, size, asked):
        self._table, self._size, self._asked = table, size, asked

    @property
    def nbytes(self):
        self._asked.append(self)
        return self._size

    def slice(self, start, count):
        return self._table.slice(start, count)


@pytest.fixture
def parts(tmp_path):
    """Twenty parts of two runs each; in the sweep, runs of different parts alternate."""
    return [read_part(write_part(tmp_path, content(f"a{i}", f"b{i}", rows=ROWS), 0).path) for i in range(20)]


def assembled(parts, monkeypatch, held):
    """Assemble a table of which every part says that it has ten bytes; return it, the sizes asked for and the parts read."""
    asked, read = [], []

    def counted(part, name):
        read.append(part.path)
        return Counted(READ(part, name), 10, asked)

    monkeypatch.setattr(assembling, "_HELD", held)
    monkeypatch.setattr(Part, "read", counted)
    places = [(f"{letter}{i}", 20 * j + i) for j, letter in enumerate("ab") for i in range(20)]
    return pa.concat_tables(pieces("layers", places, part_sources(parts, "layers"))), asked, read


def test_a_table_is_asked_for_its_size_once(parts, monkeypatch):
    _, asked, read = assembled(parts, monkeypatch, held=1000)
    assert len(read) == len(asked) == 20


@pytest.mark.parametrize(("held", "reads"), [(200, 20), (199, 40), (0, 40), (10, 40)])
def test_what_was_read_last_is_held_up_to_a_number_of_bytes(parts, monkeypatch, held, reads):
    _, asked, read = assembled(parts, monkeypatch, held)
    assert len(read) == len(asked) == reads


def test_rows_come_in_the_order_of_the_sweep_whatever_is_held(parts, monkeypatch):
    first, second = (assembled(parts, monkeypatch, held)[0] for held in (1000, 0))
    assert first.equals(second)
    assert first["job"].to_pylist() == np.repeat(np.arange(40), ROWS).tolist()
    own = {run_id: READ(part, "layers").slice(ROWS * i, ROWS) for part in parts for i, run_id in enumerate(part.run_ids)}
    for run_id, table in own.items():
        assert first.filter(pc.equal(first["run_id"], run_id)).select(PART_SCHEMAS["layers"].names).equals(table)
