import pytest

from experiments.text.tables import TextTable, from_records


def test_a_table_aligns_its_columns():
    table = from_records([{"name": "a", "value": 0.12345}, {"name": "long", "value": float("nan")}])
    assert table.terminal().splitlines() == ["name  value", "   a  0.123", "long      –"]


def test_columns_that_are_flush_left_and_a_rule():
    table = from_records(
        [{"name": "a", "n": 1, "verdict": "good"}, {"name": "long", "n": 10, "verdict": "–"}], frozenset({"name", "verdict"})
    )
    assert table.terminal(rule=True).splitlines() == ["name   n  verdict", "────  ──  ───────", "a      1  good", "long  10  –"]


def test_a_cell_of_several_lines():
    table = TextTable(["node", "value"], [["W", ["[1  2]", "[3  4]"]], ["x", ["5"]]], frozenset({"node"}))
    assert table.terminal().splitlines() == ["node   value", "W     [1  2]", "      [3  4]", "x          5"]
    assert table.markdown().splitlines()[2] == "| W | [1  2]<br>[3  4] |"


def test_markdown_escapes_pipes():
    table = from_records([{"what": "‖δ‖ | all", "n": 2}])
    assert table.markdown().splitlines() == ["| what | n |", "|---|---|", "| ‖δ‖ \\| all | 2 |"]


def test_rows_of_another_length_are_refused():
    with pytest.raises(ValueError, match="2 cells"):
        TextTable(["a", "b"], [["1"]])
