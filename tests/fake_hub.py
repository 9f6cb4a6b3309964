"""A small Hub on this machine: as much of its protocol as `huggingface_hub` needs for data sets.

Repositories, commits of regular files, revisions, downloads with ETag and X-Repo-Commit. It keeps
everything in memory and never asks for large-file storage.
"""

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_of_the_tests"  # noqa: S105 - opens nothing


@dataclass
class Repo:
    """A data set: its commits in order, each all its files, and who may see it."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def commit(self, files: dict[str, bytes], message: str) -> str:
        merged = {**self.files("main"), **files} if self.commits else dict(files)
        told = json.dumps([message, len(self.commits), sorted(map(str, merged.items()))])
        name = hashlib.sha1(told.encode()).hexdigest()  # noqa: S324 - a name, as git's
        self.commits[name] = merged
        self.messages.append(message)
        return name

    def resolve(self, revision: str) -> str | None:
        if revision in ("main", "v1"):  # a branch and a tag
            return list(self.commits)[-1]
        return revision if revision in self.commits else None

    def files(self, revision: str) -> dict[str, bytes]:
        return self.commits[self.resolve(revision) or ""]


class FakeHub:
    """The server; use it as a context manager.

    Attributes:
        repos: by ``OWNER/NAME``.
        requests: method and path of each, in order.
        forbidden: owners whose repositories nobody may write to.
    """

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.requests: list[str] = []
        self.forbidden = {"others"}
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "FakeHub":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._route()

    def do_GET(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._route()

    def _route(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = path.strip("/").split("/")
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token not in ("", TOKEN):
            return self._error(401, "Invalid username or password.")
        if parts == ["api", "repos", "create"]:
            return self._create(token)
        if parts == ["api", "validate-yaml"]:
            return self._validate()
        if parts[:2] == ["api", "datasets"]:
            return self._api("/".join(parts[2:4]), parts[4:], token)
        if parts[0] == "datasets" and parts[3] == "resolve":
            return self._download("/".join(parts[1:3]), parts[4], "/".join(parts[5:]), token)
        return self._error(404, f"no such page: {path}")

    def _create(self, token: str) -> None:
        asked = json.loads(self.body)
        assert asked["type"] == "dataset"
        if not token:
            return self._error(401, "Invalid username or password.")
        if asked["organization"] in self.hub.forbidden:
            return self._error(403, "You don't have the rights to create a dataset there")
        name = f"{asked['organization']}/{asked['name']}"
        answer = {"url": f"{self.hub.endpoint}/datasets/{name}", "name": name}
        if name in self.hub.repos:
            return self._json({**answer, "error": "You already created this dataset repo"}, 409)
        repo = self.hub.repos[name] = Repo(private=asked.get("visibility") == "private")
        repo.commit({".gitattributes": b"*.parquet filter=lfs\n"}, "initial commit")
        return self._json(answer)

    def _validate(self) -> None:
        content = json.loads(self.body)["content"]
        if "license: made-up" in content:
            return self._json({"errors": [{"message": '"license" must be one of'}]}, 400)
        return self._json({"errors": [], "warnings": []})

    def _api(self, name: str, rest: list[str], token: str) -> None:
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and not token):
            return self._error(404 if token else 401, "Repository not found", "RepoNotFound")
        if not rest or rest[0] == "revision":
            commit = repo.resolve(rest[1] if rest else "main")
            if commit is None:
                return self._error(404, "Invalid rev id", "RevisionNotFound")
            return self._json({"id": name, "sha": commit, "private": repo.private})
        if name.split("/")[0] in self.hub.forbidden:
            return self._error(403, "You don't have the rights to write there")
        if rest[0] == "preupload":
            asked = json.loads(self.body)["files"]
            known = repo.files("main")
            modes = [
                {
                    "path": one["path"],
                    "uploadMode": "regular",
                    "shouldIgnore": False,
                    "oid": _git_blob(known[one["path"]]) if one["path"] in known else None,
                }
                for one in asked
            ]
            return self._json({"files": modes})
        assert rest == ["commit", "main"], rest
        header, *items = [json.loads(line) for line in self.body.splitlines()]
        files = {i["value"]["path"]: base64.b64decode(i["value"]["content"]) for i in items}
        assert all(item["key"] == "file" for item in items)
        commit = repo.commit(files, header["value"]["summary"])
        url = f"{self.hub.endpoint}/datasets/{name}/commit/{commit}"
        return self._json(
            {"commitUrl": url, "commitOid": commit, "hookOutput": "", "success": True}
        )

    def _download(self, name: str, revision: str, path: str, token: str) -> None:
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and not token):
            return self._error(404 if token else 401, "Repository not found", "RepoNotFound")
        commit = repo.resolve(revision)
        if commit is None:
            return self._error(404, "Invalid rev id", "RevisionNotFound")
        data = repo.files(commit).get(path)
        if data is None:
            return self._error(404, "Entry not found", "EntryNotFound", commit)
        etag = f'"{_git_blob(data)}"'
        return self._send(200, data, {"ETag": etag, "X-Repo-Commit": commit})

    def _json(self, data: Any, status: int = 200) -> None:
        self._send(status, json.dumps(data).encode(), {"Content-Type": "application/json"})

    def _error(self, status: int, message: str, code: str = "", commit: str = "") -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message, "X-Repo-Commit": commit}
        data = json.dumps({"error": message}).encode()
        self._send(
            status,
            data,
            {key: value for key, value in headers.items() if value}
            | {"Content-Type": "application/json"},
        )

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324 - git's


def use(hub: FakeHub, cache: Any, patch: Any, token: str | None = TOKEN) -> None:
    """Send the real client to the fake Hub, with a cache and a login of the test's own."""
    from huggingface_hub import constants

    template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    patch.setattr(constants, "ENDPOINT", hub.endpoint)
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    patch.setattr(constants, "HF_HUB_OFFLINE", False)  # read from the environment at import
    patch.setattr(constants, "HF_HUB_CACHE", str(cache))
    patch.setattr(constants, "HF_TOKEN_PATH", str(cache / "no-token"))
    patch.setattr(constants, "HF_STORED_TOKENS_PATH", str(cache / "no-tokens"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE"):
        patch.delenv(name, raising=False)
    if token is not None:
        patch.setenv("HF_TOKEN", token)
