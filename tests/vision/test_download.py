"""The downloader against a server on this machine that answers, byte for byte, what a test tells it to."""

from __future__ import annotations

import gc
import hashlib
import http.client
import io
import os
import socket
import sys
import threading
import urllib.error
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tinygrad_nn.vision.download import DownloadError, download

BODY = bytes(range(256)) * 1024 + b"the end"  # several pieces, the last a small one
MD5 = hashlib.md5(BODY).hexdigest()
SHA256 = hashlib.sha256(BODY).hexdigest()


def answer(body: bytes, *, status: str = "200 OK", length: int | None = None, headers: str = "") -> bytes:
    length = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n".encode() + body


BAD = {
    "/wrong": answer(BODY[::-1]),
    "/truncated": answer(BODY[:-1], length=len(BODY)),
    "/nothing-of-it": answer(b"", length=len(BODY)),
    "/truncated-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40007\r\n" + BODY[:1000],
    "/missing": answer(b"no such page", status="404 Not Found"),
    "/broken": answer(b"", status="500 \x1b[31mOh\x07 dear " + "x" * 500),
    "/partial": answer(BODY, status="206 Partial Content"),
    "/hung-up": b"",
    "/not-http": b"220 \x1b[31m" + b"ftp " * 100 + b"\r\n",
    "/to-ftp": answer(b"", status="302 Found", headers="Location: ftp://127.0.0.1/file\r\n"),
    "/to-file": answer(b"", status="302 Found", headers=f"Location: {Path(__file__).as_uri()}\r\n"),
    "/in-circles": answer(b"", status="302 Found", headers="Location: /in-circles\r\n"),
}
SAYS = {
    "/wrong": f"expected sha256 {SHA256[:12]}..., found ",
    "/truncated": "expected",
    "/nothing-of-it": "expected",
    "/truncated-chunk": "IncompleteRead",
    "/missing": "404",
    "/broken": "500",
    "/partial": "expected HTTP status 200, found 206",
    "/hung-up": "without response",
    "/not-http": "ftp ftp",
    "/to-ftp": "unknown url type: ftp",
    "/to-file": "302",
    "/in-circles": "302",
}
GOOD = {
    "/good": answer(BODY),
    "/no-length": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40007\r\n" + BODY + b"\r\n0\r\n\r\n",
    "/elsewhere": answer(b"", status="302 Found", headers="Location: /good\r\n"),
    "/empty": answer(b""),
}


class Server(ThreadingHTTPServer):
    """Says what ANSWERS has for a path, notes who asked, and keeps silent on `/silent` until it is closed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.closing = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of these tests."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked.append(self.path)
        self.server.agents.add(self.headers["User-Agent"])
        if self.path == "/silent":
            self.server.closing.wait()
        else:
            self.wfile.write({**GOOD, **BAD}[urlsplit(self.path).path])

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    responses: list[http.client.HTTPResponse] = []
    begin = http.client.HTTPResponse.begin

    def note(response: http.client.HTTPResponse) -> None:
        begin(response)
        responses.append(response)

    errors: list[urllib.error.HTTPError] = []  # kept, or their end would close their responses
    start = urllib.error.HTTPError.__init__

    def keep(error: urllib.error.HTTPError, *args: Any) -> None:
        start(error, *args)
        errors.append(error)

    monkeypatch.setattr(http.client.HTTPResponse, "begin", note)
    monkeypatch.setattr(urllib.error.HTTPError, "__init__", keep)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()
    assert all(response.isclosed() for response in responses)
    gc.collect(1)  # a socket left open warns here, and a warning fails the test


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / "file.bin"


def contents(target: Path) -> dict[str, bytes]:
    """What is in the target's folder, by name."""
    return {path.name: path.read_bytes() for path in target.parent.iterdir()}


def dead_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/file"


@pytest.mark.parametrize("path", ["/good", "/no-length", "/chunked", "/elsewhere"])
@pytest.mark.parametrize("hashes", [{}, {"md5": MD5}, {"sha256": SHA256}, {"md5": MD5, "sha256": SHA256.upper()}])
def test_good_file(server: Server, target: Path, path: str, hashes: dict[str, str]) -> None:
    assert download([server.url + path], target, **hashes) == target
    assert contents(target) == {target.name: BODY}


def test_empty_file(server: Server, target: Path) -> None:
    download([server.url + "/empty"], target)
    assert contents(target) == {target.name: b""}


@pytest.mark.parametrize("path", BAD)
def test_bad_mirror_then_good_one(server: Server, target: Path, path: str) -> None:
    assert download([server.url + path, server.url + "/good"], target, sha256=SHA256) == target
    assert contents(target) == {target.name: BODY}
    assert (server.asked[0], server.asked[-1]) == (path, "/good")


@pytest.mark.parametrize("path", BAD)
def test_bad_mirror_leaves_nothing_and_says_why(server: Server, target: Path, path: str) -> None:
    with pytest.raises(DownloadError) as caught:
        download([server.url + path], target, sha256=SHA256)
    assert contents(target) == {}
    message = str(caught.value)
    start = f"{target}: expected a mirror to deliver it, found {server.url}{path}: "
    assert message.startswith(start)
    assert SAYS[path] in message
    assert len(message) <= len(start) + 120
    assert message.isprintable()  # one line, and no colours of the server's choice


@pytest.mark.parametrize("path", ["/truncated", "/nothing-of-it", "/truncated-chunk"])
def test_truncation_is_seen_without_a_hash(server: Server, target: Path, path: str) -> None:
    with pytest.raises(DownloadError):
        download([server.url + path], target)
    assert contents(target) == {}


@pytest.mark.parametrize("hashes", [{"md5": "0" * 32, "sha256": SHA256}, {"md5": MD5, "sha256": ""}])
def test_every_hash_counts(server: Server, target: Path, hashes: dict[str, str]) -> None:
    with pytest.raises(DownloadError):
        download([server.url + "/good"], target, **hashes)
    assert contents(target) == {}


def test_silent_mirror_times_out(server: Server, target: Path) -> None:
    with pytest.raises(DownloadError, match="timed out"):
        download([server.url + "/silent"], target, timeout=0.05)
    assert contents(target) == {}


def test_all_mirrors_dead(server: Server, target: Path) -> None:
    dead, missing = dead_url(), server.url + "/missing"
    with pytest.raises(RuntimeError) as caught:
        download([dead, missing], target)
    assert f"{dead}: " in str(caught.value)
    assert f"; {missing}: HTTP Error 404" in str(caught.value)
    assert str(caught.value).isprintable()
    assert contents(target) == {}


@pytest.mark.parametrize("scheme", ["ftp", "file", "data", ""])
def test_only_http(server: Server, target: Path, scheme: str) -> None:
    source = target.parent.parent / "source"
    source.write_bytes(BODY)
    url = {
        "ftp": "ftp://127.0.0.1/file",
        "file": source.as_uri(),
        "data": "data:,x",
        "": "127.0.0.1/file",
    }[scheme]
    with pytest.raises(DownloadError, match=f"expected an http or https URL, found scheme '{scheme}'"):
        download([url], target)
    assert contents(target) == {}
    assert download([url, server.url + "/good"], target).read_bytes() == BODY


@pytest.mark.parametrize("url", ["http://[::1/", "http://127.0.0.1:port/", "http:///file", "http://a b/"])
def test_malformed_url(target: Path, url: str) -> None:
    with pytest.raises(DownloadError):
        download([url], target)
    assert contents(target) == {}


def test_https_is_spoken(server: Server, target: Path) -> None:
    with pytest.raises(DownloadError, match="SSL"):  # the server does not speak it
        download([server.url.replace("http", "https") + "/good"], target)
    assert contents(target) == {}


def test_proxy_of_the_environment(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.url)
    download(["http://example.invalid/good"], target, sha256=SHA256)
    assert server.asked == ["http://example.invalid/good"]


def test_says_who_asks(server: Server, target: Path) -> None:
    download([server.url + "/elsewhere"], target)
    assert server.agents == {"tinygrad_nn"}


def test_failure_without_a_text(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(http.client.HTTPResponse, "read", fail)
    with pytest.raises(DownloadError, match="/good: ConnectionResetError"):
        download([server.url + "/good"], target)


@pytest.mark.parametrize("urls", [[], "http://127.0.0.1/file"])
def test_urls_are_a_sequence_of_some(target: Path, urls: Any) -> None:
    with pytest.raises(ValueError, match="expected a sequence of one URL or more, found"):
        download(urls, target)


@pytest.mark.parametrize("hashes", [{}, {"md5": MD5}, {"sha256": SHA256.upper()}])
def test_good_file_is_not_fetched_again(server: Server, target: Path, hashes: dict[str, str]) -> None:
    target.parent.mkdir()
    target.write_bytes(BODY)
    assert download([server.url + "/good"], target, **hashes) == target
    assert server.asked == []


def test_corrupt_file_is_replaced(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(BODY[:-1])
    download([server.url + "/good"], target, md5=MD5)
    assert contents(target) == {target.name: BODY}


def test_corrupt_file_stays_if_nothing_better_comes(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"mine")
    with pytest.raises(DownloadError):
        download([server.url + "/wrong"], target, md5=MD5)
    assert contents(target) == {target.name: b"mine"}


@pytest.mark.parametrize("old", [None, b"corrupt"])
@pytest.mark.parametrize("moment", ["reading", "syncing", "renaming"])
def test_interruption(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch, moment: str, old: bytes | None) -> None:
    target.parent.mkdir()
    before = {} if old is None else {target.name: old}
    for name, data in before.items():
        (target.parent / name).write_bytes(data)
    during: dict[str, bytes] = {}
    read = http.client.HTTPResponse.read

    def interrupt(*_: Any) -> None:
        during.update(contents(target))
        raise KeyboardInterrupt

    def read_once(response: http.client.HTTPResponse, amount: int) -> bytes:
        monkeypatch.setattr(http.client.HTTPResponse, "read", interrupt)
        return read(response, amount)

    owner, name, function = {
        "reading": (http.client.HTTPResponse, "read", read_once),
        "syncing": (os, "fsync", interrupt),
        "renaming": (os, "replace", interrupt),
    }[moment]
    monkeypatch.setattr(owner, name, function)
    with pytest.raises(KeyboardInterrupt):
        download([server.url + "/good", server.url + "/good"], target, md5=MD5)
    assert len(during) == len(before) + 1  # there was a temporary file, beside what was there
    assert contents(target) == before
    assert server.asked == ["/good"]  # an interrupt is not a failing mirror


def test_on_disk_before_it_is_renamed(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    fsync, replace = os.fsync, os.replace

    def note(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    def check(source: Path, goal: Path) -> None:
        assert synced == [len(BODY)]
        assert (source.parent, source.read_bytes()) == (goal.parent, BODY)
        replace(source, goal)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(os, "replace", check)
    download([server.url + "/good"], target)
    assert contents(target) == {target.name: BODY}


def test_two_at_once(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def another(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        download([server.url + "/good"], target)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", another)
    download([server.url + "/good"], target)
    assert server.asked == ["/good", "/good"]
    assert contents(target) == {target.name: BODY}


def test_a_full_disk_is_not_blamed_on_the_mirrors(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        download([server.url + "/good", server.url + "/good"], target)
    assert server.asked == ["/good"]
    assert contents(target) == {}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("path", ["/good", "/no-length", "/empty"])
def test_progress_on_a_terminal(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    download([server.url + path], target)
    assert target.name in terminal.getvalue()
    assert {"/good": "262k/262k", "/no-length": "262kB", "/empty": "0.00B"}[path] in terminal.getvalue()


@pytest.mark.parametrize("reason", ["unwanted", "no terminal", "no tqdm", "no stderr"])
def test_no_progress(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    stderr = io.StringIO() if reason == "no terminal" else Terminal()
    monkeypatch.setattr(sys, "stderr", None if reason == "no stderr" else stderr)
    if reason == "no tqdm":
        monkeypatch.setitem(sys.modules, "tqdm", None)
    download([server.url + "/good"], target, progress=reason != "unwanted")
    assert contents(target) == {target.name: BODY}
    assert stderr.getvalue() == ""
