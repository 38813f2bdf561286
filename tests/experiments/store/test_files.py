import pytest

from experiments.errors import UserError
from experiments.store.files import atomically


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fails(temporary):
        temporary.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match=r"cannot write .*No space left on device.*write elsewhere"):
        atomically(path, fails)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "old")]
