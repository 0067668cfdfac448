"""Downloads against a local server that cuts, lies, refuses, dawdles and serves the wrong bytes."""

import hashlib
import http.server
import multiprocessing
import sys
import threading
import time

import numpy as np
import pytest

from layerwise.data import download as module
from layerwise.data.download import DownloadError, cache_folder, download

CONTENT = np.random.default_rng(0).integers(0, 256, 300_000, np.uint8).tobytes()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT; the first word of the path says with which fault, `server.requests` what was asked."""

    def do_GET(self):
        fault = self.path.strip("/").split("/")[0]
        asked = self.headers.get("Range")
        self.server.requests.append((fault, asked))
        start = int(asked[len("bytes=") :].rstrip("-")) if asked and "norange" not in fault else 0
        nth = sum(f == fault for f, _ in self.server.requests)
        body = CONTENT[start:]
        length = len(body)
        if fault == "elsewhere":
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/elsewhere/"))
            self.end_headers()
            return
        if fault in ("404", "403", "503") or (fault == "busy" and nth < 3):
            self.send_error(int(fault) if fault.isdigit() else 503)
            return
        if start >= len(CONTENT) and asked:
            self.send_error(416)
            return
        if fault == "wrong":
            body = bytes(length)
        if fault.startswith("cut") and (nth < 3 or "always" in fault):
            body = body[:100_000]
        if fault == "dead":
            body = body[:0]
        if fault == "longer":
            length += 1000
        if fault == "shorter":
            body, length = body[:1000], 1000
        if fault == "shifted" and asked:
            start -= 10
        self.send_response(206 if asked and "norange" not in fault else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        if fault != "nolength":
            self.send_header("Content-Length", str(length))
        self.end_headers()
        for i in range(0, len(body), 50_000):
            self.wfile.write(body[i : i + 50_000])
            if fault == "slow":
                time.sleep(0.05)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.001)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "file.bin"


def files(target):
    return sorted(p.name for p in target.parent.iterdir())


@pytest.mark.parametrize("sha256", [SHA256, None])
@pytest.mark.parametrize("fault", ["good", "nolength", "slow", "busy", "cut-norange"])
def test_the_file_arrives(server, target, fault, sha256):
    steps = []
    assert download(f"{server.url}/{fault}/file", target, sha256, progress=lambda *step: steps.append(step)) == target
    assert target.read_bytes() == CONTENT
    assert files(target) == ["file.bin"]
    assert steps[-1] == (len(CONTENT), None if fault == "nolength" else len(CONTENT))
    count = len(server.requests)
    download(f"{server.url}/{fault}/file", target, sha256)  # it is there
    assert len(server.requests) == count


def test_a_cut_connection_is_continued(server, target):
    download(f"{server.url}/cut/file", target, SHA256)
    assert [asked for _, asked in server.requests] == [None, "bytes=100000-", "bytes=200000-"]
    assert target.read_bytes() == CONTENT


def test_a_later_call_continues_what_is_left(server, target):
    with pytest.raises(DownloadError, match=r"ended after 100000 of 300000 bytes .attempts: 1.*put it at .*file\.bin"):
        download(f"{server.url}/cut/file", target, SHA256, attempts=1)
    assert files(target) == ["file.bin.part"]
    download(f"{server.url}/good/file", target, SHA256)
    assert server.requests[-1] == ("good", "bytes=100000-")
    assert target.read_bytes() == CONTENT
    assert files(target) == ["file.bin"]


def test_without_a_hash_nothing_is_continued(server, target):
    with pytest.raises(DownloadError, match=r"100000 of 300000 bytes \(attempts: 2\)"):
        download(f"{server.url}/cutalways/file", target, attempts=2)
    assert {asked for _, asked in server.requests} == {None}
    assert files(target) == []


def test_a_part_that_does_not_belong_is_replaced(server, target):
    target.parent.mkdir()
    for rest in (b"x" * 1000, b"x" * 400_000, CONTENT):
        part = target.with_name("file.bin.part")
        part.write_bytes(rest)
        download(f"{server.url}/good/file", target, SHA256)
        assert target.read_bytes() == CONTENT
        assert files(target) == ["file.bin"]
        target.unlink()
    assert [asked for _, asked in server.requests] == ["bytes=1000-", None, "bytes=400000-", None]


def test_a_file_in_place_with_other_content_is_replaced(server, target):
    target.parent.mkdir()
    target.write_bytes(b"old")
    download(f"{server.url}/good/file", target, SHA256)
    assert target.read_bytes() == CONTENT
    target.write_bytes(b"old")
    download(f"{server.url}/good/file", target)  # nothing says which content is right
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("fault", ["wrong", "shorter"])
def test_wrong_bytes_are_never_put_in_place(server, target, fault):
    with pytest.raises(ValueError, match=rf"wrong content: SHA-256 \w+, expected {SHA256}.*nothing of it was kept"):
        download(f"{server.url}/{fault}/file", target, SHA256)
    assert files(target) == []


def test_a_promise_of_more_bytes_than_there_are(server, target):
    download(f"{server.url}/longer/file", target, SHA256)
    assert target.read_bytes() == CONTENT  # the hash knows better
    target.unlink()
    with pytest.raises(DownloadError, match="ended after 300000 of 301000 bytes"):
        download(f"{server.url}/longer/file", target, attempts=2)
    assert files(target) == []


def test_another_range_than_asked_for_is_not_appended(server, target):
    target.parent.mkdir()
    target.with_name("file.bin.part").write_bytes(CONTENT[:1000])
    download(f"{server.url}/shifted/file", target, SHA256)
    assert target.read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == ["bytes=1000-", None]


@pytest.mark.parametrize(("fault", "message", "requests"), [
    ("404", r"HTTP Error 404: .*\(attempts: 1\). If you have the file, put it at .*file.bin", 1),
    ("403", "HTTP Error 403", 1),
    ("503", r"503.*\(attempts: 3\)", 3),
    ("dead", r"ended after 0 of 300000 bytes \(attempts: 3\)", 3),
])  # fmt: skip
def test_servers_that_refuse(server, target, fault, message, requests):
    with pytest.raises(DownloadError, match=message):
        download(f"{server.url}/{fault}/file", target, SHA256, attempts=3)
    assert len(server.requests) == requests
    assert files(target) == []


def test_no_server_and_no_address(server, target):
    with pytest.raises(DownloadError, match=r"\(attempts: 2\)"):
        download("http://127.0.0.1:1/file", target, SHA256, attempts=2)
    with pytest.raises(ValueError, match="expected an address that starts with http"):
        download("file:///etc/passwd", target)


def test_a_stalled_connection_times_out_and_is_continued(server, target, monkeypatch):
    original = Handler.do_GET

    def stall(self):
        if not server.requests:
            server.requests.append(("stall", None))
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:4096])
            time.sleep(1)
        else:
            original(self)

    monkeypatch.setattr(Handler, "do_GET", stall)
    download(f"{server.url}/good/file", target, SHA256, timeout=0.2)
    assert target.read_bytes() == CONTENT
    assert server.requests[-1] == ("good", "bytes=4096-")


def test_an_interruption_keeps_what_can_be_continued(server, target):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(f"{server.url}/good/file", target, SHA256, progress=interrupt)
    assert files(target) == ["file.bin.part"]
    assert CONTENT.startswith(target.with_name("file.bin.part").read_bytes())
    with pytest.raises(KeyboardInterrupt):
        download(f"{server.url}/good/file", target.with_name("other"), progress=interrupt)
    assert files(target) == ["file.bin.part"]


def test_threads_do_not_clobber_each_other(server, target):
    errors = []

    def work():
        try:
            download(f"{server.url}/slow/file", target, SHA256)
            assert target.read_bytes() == CONTENT
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(server.requests) == 1  # one worked, the others waited
    assert files(target) == ["file.bin"]


def test_threads_that_find_the_file_in_place_do_not_disturb_each_other(server, target):
    download(f"{server.url}/file", target, SHA256)
    errors = []

    def work():
        try:
            for _ in range(200):
                download(f"{server.url}/file", target, SHA256)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert errors == []
    assert files(target) == ["file.bin"]


def test_processes_do_not_clobber_each_other(server, target):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=download, args=(f"{server.url}/slow/file", target, SHA256)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_the_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LAYERWISE_HOME", str(tmp_path))
    assert cache_folder("a", "b") == tmp_path / "a" / "b"
    monkeypatch.delenv("LAYERWISE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".layerwise"


@pytest.mark.parametrize("place", ["ftp://127.0.0.1/a", "file:///etc/passwd"])
def test_a_server_leads_to_other_places_of_the_web_only(server, tmp_path, place):
    assert download(f"{server.url}/elsewhere/{server.url}/fine", tmp_path / "a").read_bytes() == CONTENT
    with pytest.raises(OSError, match=place):
        download(f"{server.url}/elsewhere/{place}", tmp_path / "b", attempts=1)
    assert not (tmp_path / "b").exists()
