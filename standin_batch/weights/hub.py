"""What a source holds, asked of the Hugging Face hub: names, sizes and digests at one commit. No file is fetched here.

`HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE` and the like are huggingface_hub's own and mean what they mean there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from standin_batch.errors import NotReadyError
from standin_batch.weights.sources import UNPINNED, Source

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

GITHUB = "https://github.com"
MIRROR = "STANDIN_GITHUB_MIRROR"
PAUSES = (1.0, 3.0)
"""Seconds between attempts to ask the hub."""


class HubError(NotReadyError):
    """The hub does not give what is asked for."""


class HubUnreachable(HubError):
    """The hub cannot be asked at all: there may be no network."""


@dataclass(frozen=True)
class RemoteFile:
    """One file that can be fetched.

    Attributes:
        name: its path below the repository.
        url: to fetch it from.
        size: bytes; None if nobody says.
        sha256: of its content, for the files in Git LFS or Xet: all large ones.
        git_sha1: of its content as git counts it, for the others.
        authorized: whether the hub's own headers go along.
    """

    name: str
    url: str
    size: int | None = None
    sha256: str | None = None
    git_sha1: str | None = None
    authorized: bool = False


@dataclass(frozen=True)
class Listing:
    """What a source holds.

    Attributes:
        revision: the commit, or the address of a release asset.
        files: by name.
    """

    revision: str
    files: Mapping[str, RemoteFile]


def listing(
    source: Source, revision: str = "", *, endpoint: str | None = None, pauses: Sequence[float] = PAUSES
) -> Listing:
    """What `source` holds.

    Args:
        source: asked for; of a release asset everything is known without asking.
        revision: a branch or commit in place of the source's own.
        endpoint: the hub; `HF_ENDPOINT` unless given.
        pauses: seconds before each further attempt.

    Raises:
        HubUnreachable: if nobody answers.
        HubError: if there is no such repository or revision, it is not for everybody, or downloads are switched off.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise HubError(f"{source.name} is not asked for: downloads are switched off", "unset HF_HUB_OFFLINE")
    if not source.repository:
        return _release(source)
    for pause in pauses:
        try:
            return _listing(source, revision or source.revision, endpoint)
        except HubUnreachable:
            time.sleep(pause)
    return _listing(source, revision or source.revision, endpoint)


def headers(remote: RemoteFile) -> dict[str, str]:
    """What goes along with a request for `remote`: for the hub its token, if there is one."""
    from huggingface_hub.utils import build_hf_headers

    return dict(build_hf_headers(library_name="standin-batch")) if remote.authorized else {}


def _release(source: Source) -> Listing:
    mirror = os.environ.get(MIRROR, "").rstrip("/")
    url = source.url.replace(GITHUB, mirror, 1) if mirror else source.url
    name = url.rpartition("/")[2]
    return Listing(url, {name: RemoteFile(name, url)})


def _listing(source: Source, revision: str, endpoint: str | None) -> Listing:
    from huggingface_hub import HfApi, hf_hub_url

    try:
        info = HfApi(endpoint).model_info(source.repository, revision=revision, files_metadata=True)
        commit = {"revision": info.sha, "endpoint": endpoint}
        files = [_remote(each, hf_hub_url(source.repository, each.rfilename, **commit)) for each in info.siblings]
    # The exceptions of the network are those of the library below, which is another one with each version of the hub's.
    except Exception as error:
        raise _translated(error, source, revision) from error
    return Listing(info.sha, {file.name: file for file in files})


def _remote(file: RepoSibling, url: str) -> RemoteFile:
    sha256 = file.lfs.sha256 if file.lfs is not None else None
    size = file.lfs.size if file.lfs is not None else file.size
    return RemoteFile(file.rfilename, url, size, sha256, None if sha256 else file.blob_id, authorized=True)


def _translated(error: Exception, source: Source, revision: str) -> HubError:
    from huggingface_hub import errors

    name = source.repository
    if isinstance(error, errors.GatedRepoError):
        cure = f"accept its terms on {source.page}, then: hf auth login  # or export HF_TOKEN=..."
        return HubError(f"{name} is only for those who have accepted its terms", cure)
    if isinstance(error, errors.RevisionNotFoundError):
        cure = f"look at {source.page}/commits/{UNPINNED}; files of a commit that is gone have to be deleted first"
        return HubError(f"{name} has no revision {revision}", cure)
    if isinstance(error, errors.RepositoryNotFoundError):
        cure = f"look at {source.page}; for a private one: hf auth login  # or export HF_TOKEN=..."
        return HubError(f"there is no repository {name}, or it is not open to this user", cure)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None and status < 500 and status != 429:
        return HubError(
            f"the hub refuses {name}: {_line(error)}", f"look at {source.page}, and at HF_ENDPOINT and HF_TOKEN"
        )
    return HubUnreachable(
        f"the hub does not answer for {name}: {_line(error)}",
        "check the network, HTTPS_PROXY and HF_ENDPOINT; or name a folder that has the files: --from DIR",
    )


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
