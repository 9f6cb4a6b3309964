"""Uploading a publication to a data set on the Hugging Face Hub.

An address is ``hf://OWNER/NAME@COMMIT/SUBSET``. The commit must be its 40 hex digits: a branch or a
tag may point elsewhere tomorrow, and a score is worth nothing without the prompts it is of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flasheval.base.errors import SettingError
from flasheval.subset.library.hub import (
    REPO_TYPE,
    HubAddress,
    errors_in_a_line,
    hub_client,
    is_repo,
)
from flasheval.subset.upload.publication import Publication

if TYPE_CHECKING:
    pass

__all__ = [
    "Pushed",
    "check_push",
    "push",
]


@dataclass(frozen=True)
class Pushed:
    """The result of an upload: its address, and the commit to pin."""

    url: str
    repo: str
    commit: str

    def address(self, subset: str) -> str:
        """Return the address of a subset for :func:`flasheval.load_subset`.

        >>> Pushed("https://huggingface.co/datasets/me/few", "me/few", "0" * 40).address("clip-50")
        'hf://me/few@0000000000000000000000000000000000000000/clip-50'
        """
        return str(HubAddress(self.repo, self.commit, subset))


def check_push(repo: str | None) -> str:
    """Return the repository's name when a push can be tried; the Hub is not contacted.

    Raises SettingError for a bad name, without a login, and without ``huggingface_hub``.

    >>> check_push("few")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: repo=few: expected OWNER/NAME on the Hub, of letters, ...
    """
    if repo is None or not is_repo(repo):
        raise SettingError(
            f"repo={'null' if repo is None else repo}: expected OWNER/NAME on the Hub, of letters, "
            "digits, '-', '_' and '.'"
        )
    hub_client()
    from huggingface_hub import get_token

    if not get_token():
        raise SettingError("no login at the Hub is known here; run: hf auth login, or set HF_TOKEN")
    return repo


def push(
    publication: Publication, repo: str, *, private: bool = False, message: str | None = None
) -> Pushed:
    """Upload a publication to a data set on the Hub, in one commit, and return where it is.

    The repository is created when it does not exist. Only ``publication.files`` are uploaded, and
    nothing is removed; unchanged files make no new commit.

    Args:
        publication: What :func:`flasheval.subset.upload.publish` returned.
        repo: ``OWNER/NAME``.
        private: Make the repository private; an existing public one is refused.
        message: The message of the commit.

    Raises:
        SettingError: As :func:`check_push` does, and for ``private`` with a public repository.
        FlashevalError: The Hub cannot be reached, or refuses; the reason in one line.

    """
    hub = hub_client()
    check_push(repo)
    from huggingface_hub import CommitOperationAdd

    count = len(publication.configs)
    message = message or f"flasheval publish: {count} subset{'' if count == 1 else 's'}"
    with errors_in_a_line(repo, repo):
        files = [
            CommitOperationAdd(name, str(publication.folder / name)) for name in publication.files
        ]
        hub.create_repo(repo, repo_type=REPO_TYPE, private=private or None, exist_ok=True)
        if private and not hub.repo_info(repo, repo_type=REPO_TYPE).private:
            raise SettingError(
                f"private=true, but {repo} is there and public; make it private in its settings, "
                "or choose another"
            )
        commit = hub.create_commit(repo, files, commit_message=message, repo_type=REPO_TYPE)
    return Pushed(f"{hub.endpoint}/datasets/{repo}", repo, str(commit.oid))
