import numpy as np
import pyarrow as pa
import pytest

from experiments.errors import UserError
from experiments.store import parts
from experiments.store.columns import RUN_RESULTS
from experiments.store.parts import PART_SCHEMAS, Content, read_part, read_parts, slices, snapshot_name, write_part


def content(*run_ids: str, rows: int = 3, snapshot: bool = False, schemas: dict[str, pa.Schema] = PART_SCHEMAS) -> Content:
    rng = np.random.default_rng(0)
    tables = {}
    for name, schema in schemas.items():
        number = rows * len(run_ids)
        columns = [
            pa.array(["z"] * number)
            if pa.types.is_string(field.type)
            else pa.array(np.arange(number) % 2).cast(field.type)
            if not pa.types.is_floating(field.type)
            else pa.array(rng.standard_normal(number))
            for field in schema
        ]
        tables[name] = pa.table(columns, schema=schema)
    runs = [{"run_id": run_id, **dict.fromkeys(RUN_RESULTS), "status": "ok", "final_loss": float("nan")} for run_id in run_ids]
    snapshots = {run_id: run_id.encode() * 100 for run_id in run_ids} if snapshot else {}
    return Content(runs, tables, {name: [rows] * len(run_ids) for name in tables}, snapshots, 1.5)


def test_what_is_written_is_read(tmp_path):
    given = content("a", "b", snapshot=True)
    written = write_part(tmp_path, given, 2)
    part = read_part(written.path)
    assert (part.run_ids, part.invocation, part.seconds, part.rows) == (["a", "b"], 2, 1.5, given.rows)
    for name, table in given.tables.items():
        assert part.read(name).equals(table)
        assert written.read(name).equals(table)
    assert (tmp_path / snapshot_name("a")).read_bytes() == b"a" * 100


def test_the_same_runs_have_the_same_file(tmp_path):
    assert write_part(tmp_path, content("a", "b"), 0).path == write_part(tmp_path, content("a", "b"), 1).path
    assert write_part(tmp_path, content("b"), 0).path != write_part(tmp_path, content("a"), 0).path


@pytest.mark.parametrize("where", [0.0, 0.01, 0.1, 0.5, 0.999])
def test_one_flipped_bit_is_noticed_wherever_it_is(tmp_path, where):
    path = write_part(tmp_path, content("a", "b"), 0).path
    damaged = bytearray(path.read_bytes())
    damaged[int(where * len(damaged))] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(UserError, match="is damaged") as caught:
        read_part(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [0, 10, 50, 200, -1])
def test_a_part_that_was_cut_short_is_noticed(tmp_path, size):
    path = write_part(tmp_path, content("a"), 0).path
    path.write_bytes(path.read_bytes()[:size])
    assert [found for found, _ in read_parts(tmp_path)[1]] == [path]
    assert read_parts(tmp_path)[0] == []


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"other")], ids=["lost", "changed"])
def test_a_snapshot_is_part_of_the_part(tmp_path, damage):
    path = write_part(tmp_path, content("a", snapshot=True), 0).path
    read_part(path)
    damage(tmp_path / snapshot_name("a"))
    with pytest.raises(UserError, match="damaged or missing"):
        read_part(path)


def test_a_part_of_another_version_is_told_by_its_column(tmp_path, monkeypatch):
    schemas = {**PART_SCHEMAS, "layers": PART_SCHEMAS["layers"].append(pa.field("new", pa.float64()))}
    path = write_part(tmp_path, content("a"), 0).path
    monkeypatch.setattr(parts, "PART_SCHEMAS", schemas)
    with pytest.raises(UserError, match=r"is damaged .*column `new` of layers is declared, but the part does not make it"):
        read_part(path)
    other = write_part(tmp_path, content("b", schemas=schemas), 0).path
    monkeypatch.setattr(parts, "PART_SCHEMAS", PART_SCHEMAS)
    with pytest.raises(UserError, match=r"is damaged .*column `new` of layers is made by the part, but not declared"):
        read_part(other)


def test_a_part_whose_runs_lack_a_result_is_told_by_it(tmp_path):
    given = content("a")
    del given.runs[0]["verdict"]
    with pytest.raises(UserError, match=r"column `verdict` of runs is declared, but the part does not make it"):
        read_part(write_part(tmp_path, given, 0).path)


def test_slices_follow_each_other():
    assert list(slices([2, 0, 3])) == [(0, 2), (2, 0), (2, 3)]
