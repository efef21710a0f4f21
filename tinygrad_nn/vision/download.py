"""Knows how to fetch a file whole or not at all; does not know what is in it, nor who wants it."""

from __future__ import annotations

import hashlib
import http.client
import os
import secrets
import sys
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_CHUNK = 1 << 16


class DownloadError(RuntimeError):
    """No mirror delivered the file; the message names each one and says why."""


def download(
    urls: Sequence[str],
    target: Path,
    *,
    md5: str | None = None,
    sha256: str | None = None,
    progress: bool = True,
    timeout: float = 30.0,
) -> Path:
    """Fetch `target` from the first of the mirrors `urls` that delivers it whole, and return `target`.

    A file already there is kept if it has the given hashes (hexadecimal), or if none is given. Otherwise
    the bytes go to a temporary file beside it, which takes its name once complete, checked and on disk:
    whatever happens before that leaves the folder as it was. `timeout` is in seconds of silence from a
    mirror; `progress` draws a bar if tqdm is installed and standard error is a terminal.

    Raises DownloadError, a RuntimeError, if every mirror fails; ValueError for no URL at all; OSError if
    the folder cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "abc.txt")
    ...     _ = target.write_bytes(b"abc")  # it has the right hash, so the mirror is never asked
    ...     download(["https://example.org/abc"], target, md5="900150983cd24fb0d6963f7d28e17f72").name
    'abc.txt'
    """
    if isinstance(urls, str) or not urls:
        raise ValueError(f"download: expected a sequence of one URL or more, found {urls!r}")
    hashes = {name: value.lower() for name, value in (("md5", md5), ("sha256", sha256)) if value is not None}
    if target.is_file() and not _mismatch(target, hashes):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    for url in urls:
        part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
        try:
            with part.open("xb") as file:
                file.writelines(_pieces(url, target.name if progress else None, timeout))
                file.flush()
                os.fsync(file.fileno())  # or a crash after the renaming could leave an empty file
            if why := _mismatch(part, hashes):
                raise DownloadError(why)
            os.replace(part, target)
            return target
        except DownloadError as error:
            failures.append(f"{url}: {error}")
        finally:  # reached by an interrupt too
            part.unlink(missing_ok=True)
    raise DownloadError(f"{target}: expected a mirror to deliver it, found {'; '.join(failures)}")


def _mismatch(path: Path, hashes: dict[str, str]) -> str:
    """Say which of the hashes the file does not have; nothing if it has them all."""
    for name, expected in hashes.items():
        with path.open("rb") as file:
            found = hashlib.file_digest(file, partial(hashlib.new, name, usedforsecurity=False)).hexdigest()
        if found != expected:
            return f"expected {name} {expected[:12]}..., found {found[:12]}..."
    return ""


def _pieces(url: str, label: str | None, timeout: float) -> Iterator[bytes]:
    """Yield the body of `url`; DownloadError says, in short, why it could not be had whole."""
    try:
        if (scheme := urlsplit(url).scheme) not in ("http", "https"):
            raise DownloadError(f"expected an http or https URL, found scheme {scheme!r}")
        with _opener().open(url, timeout=timeout) as response:
            if response.status != 200:
                raise DownloadError(f"expected HTTP status 200, found {response.status}")
            total, arrived = response.length, 0
            with _bar(label, total) as bar:
                while piece := response.read(_CHUNK):
                    arrived += len(piece)
                    if bar is not None:
                        bar.update(len(piece))
                    yield piece
        if total not in (None, arrived):  # a piecewise read takes an early end for the end
            raise DownloadError(f"expected {total} bytes, found {arrived}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is also the response, and holds the connection
        # Part of the text may be the server's: one short line of printable characters.
        text = "".join(c if c.isprintable() else " " for c in str(error)) or type(error).__name__
        raise DownloadError(textwrap.shorten(text, 120, placeholder="...")) from error


def _opener() -> urllib.request.OpenerDirector:
    """Open http and https alone: with no handler for ftp or files, no redirection leads there."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    opener.addheaders = [("User-Agent", "tinygrad_nn")]
    return opener


def _bar(label: str | None, total: int | None) -> AbstractContextManager[Any]:
    """Open a tqdm bar of `total` bytes, or None where it is unwanted, unseen or not installed."""
    if label is not None and sys.stderr is not None and sys.stderr.isatty():
        with suppress(ImportError):
            from tqdm import tqdm

            bar: AbstractContextManager[Any] = tqdm(total=total, desc=label, unit="B", unit_scale=True)
            return bar
    return nullcontext()
