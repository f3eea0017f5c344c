"""A local server that speaks the Hugging Face hub's protocol, and serves release assets: for real downloads in tests.

It gives files as the hub does: `/api/models/REPO/revision/REV?blobs=true` lists them with sizes and digests,
`/REPO/resolve/REV/FILE` redirects to a store on another host name with a signed address, which knows ranges. It writes
down what it was asked for, and can be told to cut connections, send wrong bytes, or be slow.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 1024
"""Bytes from which a file is in Git LFS, as far as this server is concerned."""
CHUNK = 1 << 14


@dataclass
class Seen:
    """One request for the content of a file: its name, the first byte asked for, and whether a token came along."""

    file: str
    start: int
    token: bool


@dataclass
class Hub:
    """What is served, and what came of it.

    Attributes:
        repositories: files by repository, by name.
        assets: release assets by path.
        commit: of everything.
        gated: repositories that are only for those with a token.
        cuts: for each file, after how many bytes of a body each next connection is cut.
        wrong: files that come with other bytes than promised.
        ignores_ranges: whether the store always sends whole files.
        before: is called with the name of each file before its body is sent.
        between: is called with the name of a file and the bytes sent, after each piece.
    """

    repositories: dict[str, dict[str, bytes]]
    assets: dict[str, bytes] = field(default_factory=dict)
    commit: str = COMMIT
    gated: set[str] = field(default_factory=set)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)
    ignores_ranges: bool = False
    before: Callable[[str], None] = lambda file: None
    between: Callable[[str, int], None] = lambda file, sent: None
    asked: list[str] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """The hub's own address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def store(self) -> str:
        """The address of the store that contents come from: another host for whoever follows redirects."""
        return f"http://localhost:{self.port}"

    def starts(self, file: str) -> list[int]:
        """From which byte on `file` was asked for, request by request."""
        return [each.start for each in self.seen if each.file == file]


@contextlib.contextmanager
def serving(hub: Hub):
    """Within the block `hub` is served on a port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def torch_zip(content: bytes) -> bytes:
    """A file as torch.save writes it, as far as a zip goes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", content)
    return buffer.getvalue()


def git_sha1(content: bytes) -> str:
    """The digest that git gives to a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *args: object) -> None:
        pass

    def _answer(self, body: bool) -> None:
        path = unquote(urlsplit(self.path).path).lstrip("/")
        if path.startswith("api/models/"):
            repository, _, revision = path.removeprefix("api/models/").partition("/revision/")
            self.hub.asked.append(repository)
            self._list(repository, revision)
        elif path.startswith("store/"):
            self._file(path.removeprefix("store/"), body)
        elif path in self.hub.assets:
            self._send(path.rpartition("/")[2], self.hub.assets[path], body)
        elif "/resolve/" in path:
            self._resolve(path)
        else:
            self._error(404, "EntryNotFound")

    def _list(self, repository: str, revision: str) -> None:
        if self._refused(repository, revision):
            return
        files = self.hub.repositories[repository]
        siblings = [_sibling(name, content) for name, content in files.items()]
        self._json(200, {"id": repository, "sha": self.hub.commit, "siblings": siblings})

    def _refused(self, repository: str, revision: str) -> bool:
        if repository not in self.hub.repositories:
            self._error(401, "RepoNotFound")
        elif repository in self.hub.gated and not self.headers.get("Authorization"):
            self._error(401, "GatedRepo")
        elif revision not in ("main", self.hub.commit):
            self._error(404, "RevisionNotFound")
        else:
            return False
        return True

    def _resolve(self, path: str) -> None:
        repository, _, rest = path.partition("/resolve/")
        revision, _, name = rest.partition("/")
        if self._refused(repository, revision):
            return
        content = self.hub.repositories[repository].get(name)
        if content is None:
            self._error(404, "EntryNotFound")
            return
        self.send_response(302)
        self.send_header("Location", f"{self.hub.store}/store/{repository}/{name}?signature=abc")
        self.send_header("X-Repo-Commit", self.hub.commit)
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("X-Linked-Etag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, path: str, body: bool) -> None:
        owner, name, file = path.split("/", 2)
        self._send(file, self.hub.repositories[f"{owner}/{name}"][file], body)

    def _send(self, name: str, content: bytes, body: bool) -> None:
        asked = self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and not self.hub.ignores_ranges else 0
        if body:
            self.hub.seen.append(Seen(name, start, bool(self.headers.get("Authorization"))))
        if start >= len(content) > 0 and asked:
            self._json(416, {})
            return
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if body:
            self._body(name, bytes(len(content)) if name in self.hub.wrong else content, start)

    def _body(self, name: str, content: bytes, start: int) -> None:
        self.hub.before(name)
        cuts = self.hub.cuts.get(name, [])
        end = start + cuts.pop(0) if cuts else len(content)
        with contextlib.suppress(ConnectionError):
            for place in range(start, min(end, len(content)), CHUNK):
                self.wfile.write(content[place : min(place + CHUNK, end)])
                self.hub.between(name, min(place + CHUNK, end))
        self.close_connection = True

    def _json(self, status: int, value: object) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _error(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _sibling(name: str, content: bytes) -> dict[str, object]:
    found: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": git_sha1(content)}
    if len(content) >= LARGE:
        found["lfs"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "pointerSize": 134}
    return found
