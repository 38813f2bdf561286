import pytest

from experiments.errors import UserError
from experiments.store.files import Staging, atomically


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fails(temporary):
        temporary.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match=r"cannot write .*No space left on device.*write elsewhere"):
        atomically(path, fails)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "old")]


def test_a_failed_file_takes_no_other_with_it_before_all_are_discarded(tmp_path):
    def fails(temporary):
        raise OSError(28, "No space left on device")

    staging = Staging(tmp_path)
    staging.add("whole", lambda temporary: temporary.write_text("new"))
    with pytest.raises(UserError, match="No space left on device"):
        staging.add("failed", fails)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]
    staging.discard()
    assert list(tmp_path.iterdir()) == []
