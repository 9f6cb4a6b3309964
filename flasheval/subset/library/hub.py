"""Manifests on the Hugging Face Hub: their addresses, and how one is fetched."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.extras import pip_command

if TYPE_CHECKING:
    from huggingface_hub import HfApi
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

__all__ = ["PUBLIC_NAME", "HubAddress", "fetch_manifest"]

_log = logging.getLogger(__name__)

PUBLIC_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,95}")
"""The names a configuration may have: nothing special to a glob, a URL or a file system."""


_SCHEME = "hf://"


_FORM = "hf://OWNER/NAME@COMMIT/SUBSET"


_REPO = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


_COMMIT = re.compile("[0-9a-f]{40}")


REPO_TYPE = "dataset"


@dataclass(frozen=True)
class HubAddress:
    """Where a manifest is on the Hub; ``revision`` is None where the address has none.

    >>> HubAddress.parse("hf://me/few@" + "0" * 40 + "/clip-50").subset
    'clip-50'
    """

    repo: str
    revision: str | None
    subset: str

    @classmethod
    def parse(cls, source: str) -> HubAddress:
        """Parse an address. Raises SettingError for another form, or one that leaves its folder.

        >>> HubAddress.parse("hf://me/few@main/clip-50")
        HubAddress(repo='me/few', revision='main', subset='clip-50')
        >>> HubAddress.parse("me/few")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: "me/few" is not an address on the Hub; expected ...
        """
        body = source.removeprefix(_SCHEME)
        repo, marked, rest = body.partition("@")
        revision: str | None = None
        if marked:
            revision, _, subset = rest.rpartition("/")
        else:
            repo, _, subset = body.rpartition("/")
        fits = (
            source.startswith(_SCHEME)
            and is_repo(repo)
            and PUBLIC_NAME.fullmatch(subset)
            and (revision is None or re.fullmatch(r"[\w.+/-]+", revision))
            and ".." not in (revision or "")
        )
        if not fits:
            raise SettingError(f'"{source[:150]}" is not an address on the Hub; expected {_FORM}')
        return cls(repo, revision, subset)

    def __str__(self) -> str:
        mark = "" if self.revision is None else f"@{self.revision}"
        return f"{_SCHEME}{self.repo}{mark}/{self.subset}"


def fetch_manifest(source: str) -> Path:
    """Return the path of a manifest on the Hub, fetched unless it is in the Hub's cache already.

    Once there it needs no network. Its hashes are checked when it is loaded, not here.

    Args:
        source: ``hf://OWNER/NAME@COMMIT/SUBSET``; COMMIT of 40 hex digits.

    Raises:
        SettingError: A bad address, one without a commit (the message gives the newest one when the
            Hub can be reached), or ``huggingface_hub`` is not installed.
        FlashevalError: The Hub cannot be reached, or has no such repository, commit or subset.

    >>> fetch_manifest("hf://few@main/clip-50")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: "hf://few@main/clip-50" is not an address on the Hub; ...

    """
    address = HubAddress.parse(source)
    hub = hub_client()
    if address.revision is None or not _COMMIT.fullmatch(address.revision):
        raise _unpinned(hub, address)
    with errors_in_a_line(address.repo, str(address)):
        _log.info("fetching %s", address)
        path = hub.hf_hub_download(
            address.repo,
            f"manifests/{address.subset}.json",
            repo_type=REPO_TYPE,
            revision=address.revision,
        )
    return Path(path)


def hub_client() -> HfApi:
    if find_spec("huggingface_hub") is None:
        raise SettingError(f"the Hub needs: {pip_command('huggingface_hub')}")
    from huggingface_hub import HfApi

    return HfApi(library_name="flasheval")


def is_repo(name: str) -> bool:
    return bool(_REPO.fullmatch(name)) and not re.search(r"--|\.\.|\.git$|[.-]$|[.-]/", name)


def _unpinned(hub: HfApi, address: HubAddress) -> SettingError:
    """Return the line that says to pin a commit; it names the one to pin where the Hub tells."""
    said = "no commit" if address.revision is None else f'"{address.revision}", no commit'
    branch = address.revision or "main"
    try:
        with errors_in_a_line(address.repo, str(address)):
            info = hub.repo_info(address.repo, repo_type=REPO_TYPE, revision=branch, timeout=10)
    except FlashevalError:
        way = f"expected {_FORM}, COMMIT of 40 hex digits, from the repository's history"
    else:
        pinned = HubAddress(address.repo, info.sha, address.subset)
        way = f"pin the one that {branch} points to now: {pinned}"
    return SettingError(f"{address} names {said}, so the subset could change; {way}")


@contextmanager
def errors_in_a_line(repo: str, what: str) -> Iterator[None]:
    """Turn what the Hub's client raises into one line that says what to do."""
    from huggingface_hub import errors

    # The HTTP library's own base class, whichever library the client was built on.
    network: type[Exception] = errors.HfHubHTTPError.__bases__[0]
    try:
        yield
    except FlashevalError:
        raise
    except (network, errors.EntryNotFoundError, OSError, ValueError) as error:
        raise _as_line(error, repo, what) from error


def _as_line(error: Exception, repo: str, what: str) -> FlashevalError:
    from huggingface_hub import errors

    cause = error.__cause__
    if errors.OfflineModeIsEnabled in (type(error), type(cause)):
        return FlashevalError(
            f"{what} is not in the Hub's cache, and HF_HUB_OFFLINE forbids fetching it"
        )
    if isinstance(error, errors.LocalEntryNotFoundError):
        return FlashevalError(f"{what}: not in the Hub's cache, and the Hub cannot be reached")
    if isinstance(error, errors.GatedRepoError):
        return FlashevalError(f"{repo} is gated; ask its owners for access on the Hub")
    if isinstance(error, errors.RevisionNotFoundError):
        return DataError(f"{what}: {repo} has no such commit; see its history")
    if isinstance(error, errors.RepositoryNotFoundError):
        return DataError(
            f"{what}: the Hub has no data set {repo}, or shows it to its owners only (hf auth "
            "login, or HF_TOKEN)"
        )
    if isinstance(error, errors.EntryNotFoundError):
        return DataError(f"{what}: {repo} holds no such subset in manifests/ at that commit")
    if isinstance(error, errors.HfHubHTTPError):
        return _http_line(error, repo)
    if isinstance(error, (ValueError, errors.HFValidationError)):
        return FlashevalError(f"the Hub refuses {what}: {error}")
    if isinstance(error, OSError) and error.filename is not None:
        return DataError(f"cannot read {error.filename}: {error.strerror or error}")
    return FlashevalError(f"the Hub cannot be reached: {str(error) or type(error).__name__}")


def _http_line(error: Any, repo: str) -> FlashevalError:
    status = error.response.status_code
    said = " ".join((error.server_message or "").split())
    reason = f": {said}" if said else ""
    if status == 401:
        return FlashevalError(f"the Hub does not know this login{reason}; run: hf auth login")
    if status == 403:
        return FlashevalError(
            f"the Hub forbids writing to {repo}{reason}; use a token with write access to it"
        )
    return FlashevalError(f"the Hub answers {status} about {repo}{reason}; try again later")
