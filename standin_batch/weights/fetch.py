"""One file over HTTP, resumed where it stopped: after a cut by itself, after a kill by the next call.

huggingface_hub 2.4 begins a file anew when the process was killed (`_download_to_tmp_and_move`), so its downloads are
not used here. What the bytes are is not this module's concern: `staging` verifies them.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import os
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from standin_batch.errors import NotReadyError

CHUNK = 1 << 18
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further attempt; the count begins anew with every byte that arrives."""

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP states that pass."""
UNSATISFIABLE = 416


class TransferError(NotReadyError):
    """A file cannot be had from where it should come from."""


class StorageError(NotReadyError):
    """The disk does not take a file."""


class Stopped(Exception):
    """The whole download was stopped; what has come stays for the next one."""


class Watch(Protocol):
    """Who looks on while a file comes."""

    def at(self, done: int) -> None:
        """So many bytes of the file are on the disk.

        Raises:
            Stopped: if nobody wants the rest.
        """

    def again(self, reason: str, pause: float) -> None:
        """The connection was lost: wait for `pause` seconds.

        Raises:
            Stopped: if nobody wants the rest.
        """


class _Cut(Exception):
    """The connection is gone; another attempt may do."""


def fetch(
    url: str,
    part: Path,
    watch: Watch,
    *,
    size: int | None = None,
    headers: Mapping[str, str] | None = None,
    pauses: Sequence[float] = PAUSES,
) -> None:
    """Bring what is at `url` to `part`, whole and on the disk; what `part` has already is not asked for again.

    Args:
        url: http or https.
        part: the file; of a killed call its beginning.
        watch: is told of every piece.
        size: bytes of the whole, where they are known.
        headers: to send along; a token goes to no other host.
        pauses: seconds before each further attempt.

    Raises:
        TransferError: if the server does not have it, or cannot be reached for long.
        StorageError: if the disk does not take it.
        Stopped: if `watch` says so.
    """
    failures = 0
    while True:
        before = _size(part)
        try:
            return _attempt(url, part, watch, size, headers or {})
        except _Cut as cut:
            failures = 0 if _size(part) > before else failures
            if failures == len(pauses):
                raise TransferError(f"{url} cannot be fetched: {cut}", _CURE) from cut
            watch.again(str(cut), pauses[failures])
            failures += 1


_CURE = "check the network and HTTPS_PROXY, then run the same command again: it goes on where it stopped"


def _attempt(url: str, part: Path, watch: Watch, size: int | None, headers: Mapping[str, str]) -> None:
    start = _size(part)
    if size is not None and start > size:
        part.unlink()
        start = 0
    if start == size:
        return watch.at(start)
    with contextlib.closing(_open(url, part, start, headers)) as response:
        if response.status != http.client.PARTIAL_CONTENT:
            start = 0
        total = _total(response, start)
        if None not in (size, total) and size != total:
            raise TransferError(f"{url} has {total} bytes, not {size}", "try again later, or look at HF_ENDPOINT")
        done = _copy(response, part, start, watch)
    whole = total if size is None else size
    if whole is not None and done < whole:
        raise _Cut(f"cut at {done} of {whole} bytes")


def _copy(response: http.client.HTTPResponse, part: Path, start: int, watch: Watch) -> int:
    """Append what comes to `part`; only the disk's errors are `OSError` in here."""
    done = start
    try:
        with part.open("ab" if start else "wb") as file:
            for chunk in _chunks(response):
                file.write(chunk)
                done += len(chunk)
                watch.at(done)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(
            f"{part.parent} does not take the file: {error.strerror or error}",
            f"make room on that disk (df -h {part.parent}), then run the same command again: it goes on",
        ) from error
    return done


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while True:
        try:
            # Whatever has arrived: waiting for a whole chunk would lose its beginning to a cut.
            chunk = response.read1(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _Cut(_reason(error)) from error
        if not chunk:
            return
        yield chunk


def _open(url: str, part: Path, start: int, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    from huggingface_hub.constants import HF_HUB_DOWNLOAD_TIMEOUT

    request = Request(url, headers=dict(headers))
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        return cast(http.client.HTTPResponse, _opener().open(request, timeout=HF_HUB_DOWNLOAD_TIMEOUT))
    except HTTPError as error:
        error.close()
        raise _refused(url, part, error.code) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            cure = "set the clock, or name the authorities of this network: export SSL_CERT_FILE=..."
            raise TransferError(f"{url}: its certificate is not trusted: {reason.verify_message}", cure) from error
        raise _Cut(_reason(error)) from error


def _refused(url: str, part: Path, status: int) -> Exception:
    if status == UNSATISFIABLE:
        part.unlink(missing_ok=True)
        return _Cut("the server does not know the rest of what is here, so it begins anew")
    if status in AGAIN:
        return _Cut(f"HTTP {status}")
    if status in (401, 403):
        return TransferError(
            f"{url} is not open to this user (HTTP {status})", "hf auth login  # or export HF_TOKEN=..."
        )
    return TransferError(f"{url} is not there (HTTP {status})", "look at that address, and at HF_ENDPOINT")


def _total(response: http.client.HTTPResponse, start: int) -> int | None:
    """Bytes of the whole file, as the server says."""
    if start:
        told = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if told is None or int(told[1]) != start:
            raise _Cut(f"the server sends another part than was asked for: {response.headers.get('Content-Range')}")
        return int(told[2])
    length = response.headers.get("Content-Length")
    return None if length is None else int(length)


class _Redirects(HTTPRedirectHandler):
    """Follows to other hosts without the token: it is not theirs, and stores of signed addresses refuse it."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> Request | None:
        """The next request, without the token where it goes to another host."""
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        if new is not None and urlsplit(new.full_url)[:2] != urlsplit(req.full_url)[:2]:
            new.remove_header("Authorization")
        return new


@functools.cache
def _opener() -> OpenerDirector:
    """Made once: reading the certificates takes longer than fetching a small file."""
    return build_opener(_Redirects, HTTPSHandler(context=_context()))


def _context() -> ssl.SSLContext:
    """The system's certificates and, where it has none, those that huggingface_hub brings along."""
    context = ssl.create_default_context()
    with contextlib.suppress(ImportError):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, URLError):
        error = error.reason if isinstance(error.reason, Exception) else error
    return str(error) or type(error).__name__


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0
