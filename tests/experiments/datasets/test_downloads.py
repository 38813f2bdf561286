import functools
import hashlib
import http.server
import threading

import pytest

from experiments.datasets.downloads import fetch
from experiments.errors import UserError


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def mirror(tmp_path):
    """A web server on this machine with one file."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "data.gz").write_bytes(b"the right bytes")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


RIGHT = {"data.gz": hashlib.md5(b"the right bytes").hexdigest()}


def test_it_fetches_once(mirror, tmp_path):
    paths = fetch(tmp_path / "cache", RIGHT, (mirror,))
    assert [path.read_bytes() for path in paths] == [b"the right bytes"]
    assert fetch(tmp_path / "cache", RIGHT, ()) == paths  # no mirror is asked again


def test_a_damaged_file_is_fetched_anew(mirror, tmp_path):
    (tmp_path / "data.gz").write_bytes(b"damaged")
    assert fetch(tmp_path, RIGHT, (mirror,))[0].read_bytes() == b"the right bytes"


def test_wrong_bytes_are_refused_and_not_kept(mirror, tmp_path):
    with pytest.raises(UserError, match=r"MD5 .*, expected 0"):
        fetch(tmp_path / "cache", {"data.gz": "0" * 32}, (mirror,))
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_second_mirror_is_tried(mirror, tmp_path):
    assert fetch(tmp_path / "cache", RIGHT, ("http://127.0.0.1:9/", mirror))


def test_a_dead_mirror_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"cannot fetch data\.gz .*by hand") as caught:
        fetch(tmp_path / "cache", RIGHT, ("http://127.0.0.1:9/",))
    assert "\n" not in str(caught.value)
