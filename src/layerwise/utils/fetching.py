"""`get_file`: a file of the web in a folder of this computer, unpacked if need be."""

import os
import shutil
import tarfile
import tempfile
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterable
from pathlib import Path

from ..data.download import cache_folder, download
from ..data.download import file_hash as hash_of
from ..terminal import DownloadBar

_DEEPEST = 100  # folders in one another in an archive


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of the file at the address `origin`, downloaded unless it is there already

    Args:
        fname: the file's name, by default the last part of the address.
        untar, extract: unpack a tar or zip archive; the path is then that of the folder with what was in it.
        md5_hash, file_hash: what the content must be, in hexadecimal (SHA-256 or MD5, by `hash_algorithm` or length).
        cache_subdir, cache_dir: the folder to keep it in, and where that lies: by default where Layerwise keeps files.
        archive_format: "tar", "zip", "auto", or None to unpack nothing.
        force_download: replace a file that is there.

    Raises `DownloadError` when the file cannot be fetched, `ValueError` when it is not the one that the hash names.
    """
    if origin is None:
        raise ValueError("get_file: origin: got None, expected the address of the file")
    name = fname or Path(urllib.parse.urlsplit(origin).path).name
    if (origin.endswith("/") and not fname) or Path(name).name != name or name == "..":
        raise ValueError(f"get_file: fname: got {fname!r} for {origin}, expected a file name without folders")
    unpack = (untar or extract) and archive_format is not None
    folder = cache_folder(cache_subdir) if cache_dir is None else Path(cache_dir, cache_subdir)
    if not unpack:
        unpacked = None
        target = folder / name
    elif fname and not untar:
        unpacked = folder / f"{name.split('.')[0]}_extracted"
        target = folder / name
    else:
        unpacked = folder / name
        target = folder / f"{name}_archive"

    expected = (file_hash or md5_hash or "").lower()
    if hash_algorithm == "auto":
        hash_algorithm = "md5" if expected and len(expected) == 32 else "sha256"
    sha256 = expected if expected and hash_algorithm == "sha256" else None
    other = expected if sha256 is None else None
    if force_download or (other and target.is_file() and hash_of(target, hash_algorithm) != other):
        target.unlink(missing_ok=True)
    fresh = not target.exists()
    if origin.startswith("file://"):
        other = expected
        _copy(origin, target)
    else:
        with DownloadBar(name) as bar:
            download(origin, target, sha256, progress=bar)
    if other and (got := hash_of(target, hash_algorithm)) != other:
        target.unlink()
        raise ValueError(f"get_file: {origin}: wrong content: {hash_algorithm} {got}, expected {other}")
    if unpacked is None:
        return str(target)
    if fresh or not unpacked.exists():
        _unpack(target, unpacked, archive_format or "auto")
    return str(unpacked)


def _copy(origin: str, target: Path) -> None:
    """The file of this computer at the address `origin`, at `target`; one that is there is kept."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(urllib.request.url2pathname(urllib.parse.urlsplit(origin).path), target)


def _unpack(archive: Path, folder: Path, form: str) -> None:
    """The archive's files in `folder`, complete or not at all; nothing is ever written outside of it."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        inside = Path(temporary, folder.name)
        try:
            if form in ("auto", "zip") and zipfile.is_zipfile(archive):
                with zipfile.ZipFile(archive) as files:
                    _check_depth(files.namelist())
                    files.extractall(inside)
            elif form in ("auto", "tar") and tarfile.is_tarfile(archive):
                with tarfile.open(archive) as members:
                    _extract(members, inside)
            else:
                raise ValueError(f"get_file: {archive} is no archive of the form {form!r}; expected a tar or zip file")
        except (tarfile.TarError, zipfile.BadZipFile) as error:
            raise ValueError(f"get_file: {archive} cannot be unpacked: {error}") from error
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(inside, folder)


def _check_depth(names: Iterable[str]) -> None:
    for name in names:
        if name.count("/") > _DEEPEST:
            raise ValueError(f"get_file: {name[:40]!r}... in the archive is more than {_DEEPEST} folders deep")


def _extract(members: tarfile.TarFile, folder: Path) -> None:
    """The files and folders of a tar archive; links are refused, and what would be written outside of the folder.

    `tarfile` itself refuses the latter from Python 3.11.4 on only.
    """
    for member in members:
        _check_depth([member.name])
        target = Path(os.path.normpath(folder / member.name))
        source = members.extractfile(member) if member.isfile() else None
        if not target.is_relative_to(folder) or not (source or member.isdir()):
            raise tarfile.ExtractError(f"{member.name!r} is no file or folder inside of it")
        (target if source is None else target.parent).mkdir(parents=True, exist_ok=True)
        if source is not None:
            with source, target.open("wb") as file:
                shutil.copyfileobj(source, file)
