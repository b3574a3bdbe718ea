"""Get a data set's archive from its official address: resumed where it broke off, then checked."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import re
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tinyhar.errors import DataError
from tinyhar.recordings.catalogue import DatasetInfo
from tinyhar.recordings.registry import where_to_get

CHUNK: Final = 1 << 18
TIMEOUT: Final = 30.0
"""Seconds without a byte after which the line counts as dead."""

Progress = Callable[[int, int | None], None]
"""Called with bytes so far and bytes in all (None where the server does not tell)."""


@dataclass(frozen=True)
class Fetched:
    """What is now on disk."""

    path: Path
    size: int
    sha256: str
    verified: str
    """How it was checked, for people."""


def fetch(info: DatasetInfo, root: Path, progress: Progress | None = None) -> Fetched:
    """Download to root/NAME/ARCHIVE by way of ARCHIVE.part, which a later call goes on from.

    Checked by the server's size, the registered size and sha256 where known, and the archive's own
    CRCs. An archive that is already there is only checked.

    Raises DataError: nothing to fetch, no network (with where to get it and where to put it), a
    download that broke off (kept, to be resumed), or one that fails a check (removed).
    """
    if info.url is None:
        raise DataError(f"{info.name} is not downloaded: {_instead(info, root)}")
    target = root / info.folder / info.archives[0]
    part = target.with_name(target.name + ".part")
    if target.is_file():
        return _checked(info, target, target, remove=False)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _download(info, root, part, progress or (lambda _done, _total: None))
    except OSError as error:
        raise DataError(f"{part}: cannot be written ({error.strerror or error})") from error
    fetched = _checked(info, part, target, remove=True)
    part.replace(target)
    _tag_file(part).unlink(missing_ok=True)
    return fetched


def _instead(info: DatasetInfo, root: Path) -> str:
    return "it is computed here, just use it" if info.made_here else where_to_get(info, root)


def _tag_file(part: Path) -> Path:
    """Where the server's version tag of a partial download is kept."""
    return part.with_name(part.name + ".etag")


def _download(info: DatasetInfo, root: Path, part: Path, progress: Progress) -> None:
    assert info.url is not None
    target = part.with_suffix("")
    have = part.stat().st_size if part.is_file() else 0
    try:
        with _open(info.url, have, _read_tag(part)) as answer:
            have, total = _where(answer, have)
            _keep_tag(part, answer)
            with part.open("ab" if have else "wb") as file:
                progress(have, total)
                for chunk in _chunks(answer):
                    file.write(chunk)
                    have += len(chunk)
                    progress(have, total)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # the partial file is as long as the whole, or too long
            total = _total(error.headers.get("Content-Range", ""))
            if total == have:
                return
            part.unlink()
            raise DataError(
                f"{part}: longer than the {total} bytes of {info.url}; removed, fetch again"
            ) from error
        raise DataError(
            f"{info.url}: the server says {error.code} {error.reason}; look at {info.homepage} for "
            f"a new address and put the archive at {target}"
        ) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as e:
        if have:
            raise DataError(
                f"{info.url}: the line broke after {have} bytes ({_reason(e)}); run the same "
                "command again to go on from there"
            ) from e
        raise DataError(
            f"{urlsplit(info.url).hostname} cannot be reached ({_reason(e)}); download {info.url} "
            f"elsewhere and put it at {target}"
        ) from e
    if total is not None and have != total:
        raise DataError(
            f"{info.url}: got {have} of {total} bytes; "
            "run the same command again to go on from there"
        )


def _chunks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """What the server sends; URLError where the line fails, whichever way it does."""
    try:
        while chunk := answer.read(CHUNK):
            yield chunk
    except OSError as error:
        raise urllib.error.URLError(error) from error


def _reason(error: Exception) -> str:
    inner = getattr(error, "reason", error)
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__


def _open(url: str, have: int, tag: str | None) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "tinyhar"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        if tag:  # another version on the server than the half that is here: then send it whole
            request.add_header("If-Range", tag)
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT)
    return answer


def _where(answer: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """From which byte the answer goes on, and the whole's size."""
    if answer.status == 206:
        content_range = answer.headers.get("Content-Range", "")
        if content_range.startswith(f"bytes {have}-"):
            return have, _total(content_range)
        raise DataError(f"{answer.url}: asked for bytes from {have}, got {content_range!r}")
    length = answer.headers.get("Content-Length")
    return 0, int(length) if length else None


def _total(content_range: str) -> int | None:
    match = re.search(r"/(\d+)$", content_range)
    return int(match[1]) if match else None


def _read_tag(part: Path) -> str | None:
    with contextlib.suppress(OSError):
        return _tag_file(part).read_text().strip() or None
    return None


def _keep_tag(part: Path, answer: http.client.HTTPResponse) -> None:
    tag = answer.headers.get("ETag", "")
    if tag.startswith("W/"):  # weak tags must not stand in If-Range (RFC 9110, 13.1.5)
        tag = ""
    _tag_file(part).write_text(tag or answer.headers.get("Last-Modified", ""))


def _checked(info: DatasetInfo, path: Path, target: Path, *, remove: bool) -> Fetched:
    """Size, sha256, then the archive's CRCs; what fails and is our own download goes."""
    size = path.stat().st_size
    digest = _sha256(path)
    fault = None
    if info.size is not None and size != info.size:
        fault = f"{size} bytes instead of {info.size}"
    elif info.sha256 is not None and digest != info.sha256:
        fault = f"sha256 {digest} instead of {info.sha256}"
    else:
        fault = _damage(path, target.name)
    if fault:
        if remove:
            path.unlink()
            _tag_file(path).unlink(missing_ok=True)
            raise DataError(f"{info.url}: the download has {fault}; removed, fetch it again")
        raise DataError(f"{path}: {fault}; remove it and fetch it again")
    known = "sha256" if info.sha256 else "size" if info.size else None
    verified = (
        f"{known} and archive checks" if known else "archive checks; no official sha256 known"
    )
    return Fetched(target, size, digest, verified)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damage(path: Path, name: str) -> str | None:
    """What is wrong inside the archive, or None."""
    try:
        if name.endswith((".tar.gz", ".tgz")):
            with tarfile.open(path) as tar:
                for member in tar:
                    content = tar.extractfile(member) if member.isfile() else None
                    while content is not None and content.read(CHUNK):
                        pass
            return None
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
        return f"a damaged member {bad}" if bad else None
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, OSError) as error:
        return f"no whole archive inside ({error})"
