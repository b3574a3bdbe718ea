"""Fetching against a local server that can break off, refuse ranges and change its file."""

from __future__ import annotations

import hashlib
import http.server
import re
import socket
import threading
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from tinyhar.errors import DataError
from tinyhar.recordings import DATASETS, load
from tinyhar.recordings.fetch import fetch


@dataclass
class Served:
    """What the server gives, and what it was asked."""

    content: bytes
    url: str = ""
    etag: str = '"one"'
    break_after: int | None = None
    ranges: bool = True
    status: int | None = None
    asked: list[str | None] = field(default_factory=list)


class Handler(http.server.BaseHTTPRequestHandler):
    served: Served

    def do_GET(self) -> None:
        served = self.served
        wanted = self.headers.get("Range")
        served.asked.append(wanted)
        if served.status:
            self.send_error(served.status)
            return
        fresh = self.headers.get("If-Range", served.etag) == served.etag
        start = (
            int(re.match(r"bytes=(\d+)-", wanted)[1]) if wanted and served.ranges and fresh else 0
        )
        size = len(served.content)
        if start >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - start))
        self.send_header("ETag", served.etag)
        self.end_headers()
        end = size if served.break_after is None else served.break_after
        self.wfile.write(served.content[start:end])
        if end < size:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_args) -> None:
        pass


def archive(path: Path, seed: int = 0) -> bytes:
    """A small but whole HAPT archive; noise, so that it does not compress away."""
    noise = np.random.default_rng(seed).normal(size=(20_000, 3))
    text = "".join(" ".join(f"{v:.8f}" for v in row) + "\n" for row in noise)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("HAPT Data Set/RawData/labels.txt", "1 1 1 1 100\n")
        file.writestr("HAPT Data Set/RawData/acc_exp01_user01.txt", text)
        file.writestr("HAPT Data Set/RawData/gyro_exp01_user01.txt", text)
    return path.read_bytes()


@pytest.fixture
def served(tmp_path):
    state = Served(archive(tmp_path / "whole.zip"))
    handler = type("BoundHandler", (Handler,), {"served": state})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/hapt.zip"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def info(served):
    return replace(DATASETS["hapt"], url=served.url, size=None, sha256=None)


@pytest.fixture
def root(tmp_path) -> Path:
    return tmp_path / "data"


def leftovers(root: Path) -> list[str]:
    return sorted(p.name for p in (root / "hapt").iterdir())


def test_it_arrives_whole_with_progress_and_can_be_loaded(served, info, root):
    steps: list[tuple[int, int | None]] = []
    fetched = fetch(info, root, lambda done, total: steps.append((done, total)))
    assert fetched.path.read_bytes() == served.content
    assert fetched.sha256 == hashlib.sha256(served.content).hexdigest()
    assert "no official sha256" in fetched.verified
    assert steps[0] == (0, len(served.content)) and steps[-1] == (len(served.content),) * 2
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert leftovers(root) == ["HAPT_Data_Set.zip"]
    assert len(load("hapt", root, cache=False)) == 1


def test_a_broken_line_is_resumed_where_it_broke(served, info, root):
    served.break_after = len(served.content) // 3
    with pytest.raises(DataError, match="run the same command again"):
        fetch(info, root)
    assert "HAPT_Data_Set.zip" not in leftovers(root)
    with pytest.raises(DataError, match="fetch hapt"):
        load("hapt", root)  # half a download is not found
    served.break_after = None
    fetched = fetch(info, root)
    assert served.asked == [None, f"bytes={len(served.content) // 3}-"]
    assert fetched.path.read_bytes() == served.content
    assert leftovers(root) == ["HAPT_Data_Set.zip"]


def test_a_file_that_changed_meanwhile_is_sent_whole(served, info, root):
    served.break_after = 1000
    with pytest.raises(DataError):
        fetch(info, root)
    served.break_after, served.etag = None, '"two"'
    served.content = archive(root / "newer.zip", seed=1)
    assert fetch(info, root).path.read_bytes() == served.content


def test_a_server_without_ranges_starts_over(served, info, root):
    served.break_after = 1000
    with pytest.raises(DataError):
        fetch(info, root)
    served.break_after, served.ranges = None, False
    assert fetch(info, root).path.read_bytes() == served.content


def test_a_download_complete_but_for_its_name_is_taken(served, info, root):
    (root / "hapt").mkdir(parents=True)
    (root / "hapt" / "HAPT_Data_Set.zip.part").write_bytes(served.content)
    assert fetch(info, root).path.read_bytes() == served.content


def test_a_partial_file_longer_than_the_whole_is_removed(served, info, root):
    (root / "hapt").mkdir(parents=True)
    (root / "hapt" / "HAPT_Data_Set.zip.part").write_bytes(served.content + b"more")
    with pytest.raises(DataError, match="longer than"):
        fetch(info, root)
    assert fetch(info, root).path.read_bytes() == served.content


def test_what_is_there_is_only_checked(served, info, root):
    fetch(info, root)
    fetch(info, root)
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    "change, message",
    [({"sha256": "0" * 64}, "sha256 .* instead of 0000"), ({"size": 5}, "bytes instead of 5")],
)
def test_a_wrong_checksum_or_size_is_removed(change, message, info, root):
    with pytest.raises(DataError, match=message):
        fetch(replace(info, **change), root)
    assert leftovers(root) == []


def test_right_checksum_and_size_are_said_to_be_checked(served, info, root):
    digest = hashlib.sha256(served.content).hexdigest()
    assert fetch(replace(info, sha256=digest), root).verified.startswith("sha256")


def test_a_page_instead_of_an_archive_is_noticed(served, info, root):
    served.content = b"<html>Please log in</html>"
    with pytest.raises(DataError, match="no whole archive inside"):
        fetch(info, root)
    assert leftovers(root) == []


def test_a_damaged_member_is_noticed(served, info, root):
    harmed = bytearray(served.content)
    harmed[len(harmed) // 2] ^= 0xFF
    served.content = bytes(harmed)
    with pytest.raises(DataError, match=r"damaged|no whole archive"):
        fetch(info, root)


def test_a_gone_address_says_where_to_look(served, info, root):
    served.status = 404
    with pytest.raises(DataError, match=r"404 .*archive\.ics\.uci\.edu/dataset/341 .*HAPT_Data"):
        fetch(info, root)


def test_without_a_network_it_says_where_to_get_it_and_where_to_put_it(info, root):
    with socket.socket() as taken:  # a port where nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x.zip"
        with pytest.raises(DataError) as caught:
            fetch(replace(info, url=url), root)
    text = str(caught.value)
    assert "127.0.0.1 cannot be reached" in text and url in text
    assert str(root / "hapt" / "HAPT_Data_Set.zip") in text and "\n" not in text


def test_an_unknown_host_reads_the_same(info, root):
    with pytest.raises(DataError, match=r"no\.such\.host\.invalid cannot be reached"):
        fetch(replace(info, url="http://no.such.host.invalid/x.zip"), root)


def test_a_folder_that_cannot_be_made(info, tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(DataError, match="cannot be written"):
        fetch(info, tmp_path / "data")


@pytest.mark.parametrize("name, message", [("synthetic", "computed here"), ("csv", "put your rec")])
def test_what_is_not_downloaded_says_so(name, message, root):
    with pytest.raises(DataError, match=message):
        fetch(DATASETS[name], root)


def test_every_downloadable_set_has_an_https_address_and_a_place():
    for entry in DATASETS.values():
        if entry.url is not None:
            assert entry.url.startswith("https://")
            assert entry.archives and entry.homepage and entry.licence
