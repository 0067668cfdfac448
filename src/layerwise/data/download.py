"""Downloads that can be trusted: pinned by their hash, resumed where they were cut, in place only when complete."""

import contextlib
import functools
import hashlib
import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from ..lazy import public_only

__all__ = ["DownloadError", "Pin", "Progress", "cache_folder", "download", "file_hash", "sync_folder"]
public_only(__name__)

try:
    import fcntl
except ImportError:  # pragma: no cover  Windows: two processes may download the same; the hash still decides
    fcntl = None  # type: ignore[assignment]

_CHUNK = 1 << 16
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0  # seconds between attempts; doubled each time
_PASSING_TROUBLE = (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException, ssl.SSLError)
_WEB = ("http://", "https://")
_PASSING_STATUS = {408, 416, 425, 429}  # besides 5xx

Progress = Callable[[int, int | None], None]
Pin = tuple[str, str]  # a hash's algorithm, and what it must be


class DownloadError(OSError):
    """The file could not be fetched."""


def cache_folder(*parts: str) -> Path:
    """Where Layerwise keeps files: `LAYERWISE_HOME`, else `.layerwise` in the home folder; `parts` lie below.

    >>> cache_folder("datasets").name
    'datasets'
    """
    return Path(os.environ.get("LAYERWISE_HOME") or Path.home() / ".layerwise", *parts)


def file_hash(path: str | PathLike[str], algorithm: str = "sha256") -> str:
    """The hash of a file's content, in hexadecimal.

    >>> path = getfixture("tmp_path") / "empty"
    >>> path.touch()
    >>> file_hash(path)[:16]
    'e3b0c44298fc1c14'
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def download(
    url: str,
    target: str | PathLike[str],
    sha256: str | None = None,
    *,
    md5: str | None = None,
    progress: Progress | None = None,
    timeout: float = 30.0,
    attempts: int = 5,
) -> Path:
    """Fetch `url` (http or https) into the file `target` and return its path; a file already there is kept.

    With `sha256` (or `md5`, where nothing better is known) only that content is accepted, a file in place that has
    another is replaced, and what a cut connection left (`target` + ".part") is continued, by a later call too. Without
    it, each attempt starts at the beginning. The file appears in place complete or not at all. Of several downloads of
    one target at once, in threads or processes, one works and the others wait for it.

    progress(done, total) is called as bytes arrive; total is None where the server does not say. timeout: seconds
    without a byte; attempts: failures in a row, without any progress, before giving up. Raises `DownloadError` when the
    file cannot be fetched, `ValueError` when it is not the one that the hash names; then nothing is kept.

    >>> download("ftp://example.com/a", "a")
    Traceback (most recent call last):
    ValueError: ftp://example.com/a: expected an address that starts with http:// or https://
    """
    if not url.startswith(_WEB):
        raise ValueError(f"{url}: expected an address that starts with http:// or https://")
    target = Path(target)
    pin = ("sha256", sha256.lower()) if sha256 else ("md5", md5.lower()) if md5 else None
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with _sole_owner(part):
        if target.is_file() and (pin is None or _has_hash(target, pin)):
            return target
        try:
            resumed = pin is not None and part.stat().st_size > 0
            _fetch(url, part, pin, progress, timeout, attempts)
            if resumed and not _has_hash(part, pin):  # what was left of an earlier call may have been the wrong part
                os.truncate(part, 0)
                _fetch(url, part, pin, progress, timeout, attempts)
            if pin is not None and not _has_hash(part, pin):
                got = file_hash(part, pin[0])
                os.truncate(part, 0)
                raise ValueError(
                    f"{url}: wrong content: {'SHA-256' if sha256 else 'MD5'} {got}, expected {pin[1]}. "
                    "The file was changed or damaged on its way; nothing of it was kept"
                )
        except BaseException:
            if pin is None:  # nothing to continue
                os.truncate(part, 0)
            raise
        os.replace(part, target)
        sync_folder(target.parent)
    return target


@contextlib.contextmanager
def _sole_owner(part: Path) -> Iterator[None]:
    """Hold the lock on `part`, which exists inside and is removed on leaving if it is empty."""
    while True:
        with open(part, "ab") as file:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(part, os.fstat(file.fileno())):
                continue  # the one who had the lock has moved or removed the file
            try:
                yield
            finally:
                if part.exists() and part.stat().st_size == 0:
                    part.unlink()
            return


def _is_at(path: Path, status: os.stat_result) -> bool:
    """Whether the file of this status is the one at `path`, where another may come and go at any time."""
    try:
        return os.path.samestat(status, path.stat())
    except FileNotFoundError:
        return False


def _has_hash(path: Path, pin: Pin | None) -> bool:
    return pin is not None and file_hash(path, pin[0]) == pin[1]


def _fetch(url: str, part: Path, pin: Pin | None, progress: Progress | None, timeout: float, attempts: int) -> None:
    """Bring all of `url` into `part`, in as many attempts as it takes while they bring something new."""
    failures, farthest = 0, part.stat().st_size
    while not _has_hash(part, pin):
        if pin is None:
            os.truncate(part, 0)
        try:
            _transfer(url, part, progress, timeout)
            return
        except _PASSING_TROUBLE as error:
            if isinstance(error, urllib.error.HTTPError) and error.code == 416:  # the part is longer than the file
                os.truncate(part, 0)
            size = part.stat().st_size
            failures = 1 if size > farthest else failures + 1
            farthest = max(farthest, size)
            if failures >= attempts or _is_final(error):
                target = part.with_suffix("")
                raise DownloadError(
                    f"{url}: {error or type(error).__name__} (attempts: {failures}). "
                    f"If you have the file, put it at {target}"
                ) from error
            time.sleep(min(_FIRST_PAUSE * 2 ** (failures - 1), _LONGEST_PAUSE))


def _is_final(error: Exception) -> bool:
    """Whether the server's answer will be the same next time."""
    return isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code not in _PASSING_STATUS


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a server to other places of the web only: Python would go to ftp://, too."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.startswith(_WEB):
            raise DownloadError(f"{req.full_url}: leads to {newurl}, which is no http:// or https:// address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@functools.cache
def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Redirects)


def _transfer(url: str, part: Path, progress: Progress | None, timeout: float) -> None:
    """One request: append what `part` lacks, or all from the beginning where the server does not do ranges."""
    done = part.stat().st_size
    headers = {"User-Agent": "layerwise", "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    request = urllib.request.Request(url, headers=headers)
    with _opener().open(request, timeout=timeout) as response, open(part, "r+b") as file:
        if response.status != 206:
            done = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
            file.truncate(0)
            raise ConnectionError("the server sent another range than the one asked for")
        file.truncate(done)
        file.seek(done)
        length = response.headers.get("Content-Length", "")
        total = done + int(length) if length.isdecimal() else None
        while chunk := response.read1(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            if progress:
                progress(done, total)
        file.flush()
        os.fsync(file.fileno())
    if total is not None and done < total:
        raise ConnectionError(f"the connection ended after {done} of {total} bytes")


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder last through a loss of power."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
