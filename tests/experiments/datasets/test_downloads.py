import functools
import gzip
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
    with pytest.raises(UserError, match=rf"MD5 .*expected md5:0{{32}} but got {RIGHT['data.gz']}") as caught:
        fetch(tmp_path / "cache", {"data.gz": "0" * 32}, (mirror,))
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_second_mirror_is_tried(mirror, tmp_path):
    assert fetch(tmp_path / "cache", RIGHT, ("http://127.0.0.1:9/", mirror))


def test_a_dead_mirror_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"cannot fetch data\.gz .*by hand") as caught:
        fetch(tmp_path / "cache", RIGHT, ("http://127.0.0.1:9/",))
    assert "\n" not in str(caught.value)
    assert "Connection refused" in str(caught.value)
    assert len(str(caught.value)) < 200 + len(str(tmp_path))


def test_what_a_mirror_lacks_is_told_by_its_answer(mirror, tmp_path):
    with pytest.raises(UserError, match=r"cannot fetch other\.gz .*404 .*by hand"):
        fetch(tmp_path / "cache", {"other.gz": "0" * 32}, (mirror,))
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("address", ["", "no address/", "ftp2://x/"])
def test_no_address_is_one_line(tmp_path, address):
    with pytest.raises(UserError, match=r"cannot fetch data\.gz .*by hand") as caught:
        fetch(tmp_path / "cache", RIGHT, (address,))
    assert "\n" not in str(caught.value)


def test_others_may_read_what_was_fetched(mirror, tmp_path):
    (path,) = fetch(tmp_path / "cache", RIGHT, (mirror,))
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_server_that_calls_the_files_compression_its_own_gives_the_files(tmp_path):
    content = gzip.compress(b"data")

    class Eager(_Quiet):
        """Unpack what it has, unless it is asked for it as it is."""

        def do_GET(self):
            self.send_response(200)
            if self.headers.get("Accept-Encoding") != "identity":
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Eager) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            (path,) = fetch(tmp_path, {"d.gz": hashlib.md5(content).hexdigest()}, (f"http://127.0.0.1:{server.server_port}/",))
        finally:
            server.shutdown()
            thread.join()
    assert path.read_bytes() == content


def test_a_connection_that_breaks_off_leaves_nothing(tmp_path):
    class Broken(_Quiet):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"the right bytes")

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(UserError, match=r"cannot fetch data\.gz") as caught:
                fetch(tmp_path / "cache", RIGHT, (f"http://127.0.0.1:{server.server_port}/",))
        finally:
            server.shutdown()
            thread.join()
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []
