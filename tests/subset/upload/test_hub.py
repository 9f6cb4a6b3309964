"""The real `huggingface_hub` client against a small Hub on this machine."""

import json
import subprocess
import sys

import pytest

from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.subset import Subset
from flasheval.subset.library import find_subset
from flasheval.subset.library import hub as library_hub
from flasheval.subset.library.hub import HubAddress, fetch_manifest
from flasheval.subset.upload import publish
from flasheval.subset.upload.hub import check_push, push

NOWHERE = "0" * 40


@pytest.fixture
def made(make_subset, tmp_path):
    subsets = [make_subset(), make_subset("things-all-50", 50, ("clip", "hps"))]
    return publish(subsets, tmp_path / "up", repo="me/few")


def test_what_is_pushed_comes_back_by_its_commit(made, hub):
    pushed = push(made, "me/few", message="as published")
    assert pushed.url == f"{hub.endpoint}/datasets/me/few"
    repo = hub.repos["me/few"]
    assert pushed.commit == list(repo.commits)[-1]
    assert repo.messages == ["initial commit", "as published"]  # one commit, whole
    assert set(repo.files("main")) == {".gitattributes", *made.files}
    assert all(repo.files("main")[name] == (made.folder / name).read_bytes() for name in made.files)
    for subset in made.subsets:
        found = find_subset(pushed.address(subset.name))
        assert found == subset
        assert found.content_hash == subset.content_hash
        assert found.record == subset.record


def test_what_was_fetched_once_needs_no_network(made, hub, monkeypatch):
    from huggingface_hub import constants

    address = push(made, "me/few").address("things-clip-5")
    path = fetch_manifest(address)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked = len(hub.requests)
    assert fetch_manifest(address) == path
    assert len(hub.requests) == asked
    with pytest.raises(FlashevalError, match="not in the Hub's cache, and HF_HUB_OFFLINE forbids"):
        fetch_manifest(address.replace("clip-5", "all-50"))


def test_an_older_commit_stays_what_it_was(made, make_subset, hub, tmp_path):
    old = push(made, "me/few")
    changed = make_subset(size=6)
    new = push(publish([changed], tmp_path / "new"), "me/few")
    assert new.commit != old.commit
    assert Subset.load(fetch_manifest(old.address("things-clip-5"))).size == 5
    assert Subset.load(fetch_manifest(new.address("things-clip-5"))).size == 6
    assert "manifests/things-all-50.json" in hub.repos["me/few"].files("main")  # nothing removed


def test_the_same_again_makes_no_commit(made, hub):
    first = push(made, "me/few")
    assert push(made, "me/few") == first
    assert len(hub.repos["me/few"].commits) == 2


def test_a_flipped_byte_on_the_server_is_found(made, hub):
    pushed = push(made, "me/few")
    files = hub.repos["me/few"].commits[pushed.commit]
    name = "manifests/things-clip-5.json"
    at = files[name].index(b"1.75") + 3  # a weight
    files[name] = files[name][:at] + bytes([files[name][at] ^ 1]) + files[name][at + 1 :]
    with pytest.raises(DataError, match=r"things-clip-5.json: .* do not match content_hash"):
        find_subset(pushed.address("things-clip-5"))


def test_nothing_but_the_files_goes_up(made, hub):
    (made.folder / "secret.txt").write_text("mine")
    push(made, "me/few")
    assert "secret.txt" not in hub.repos["me/few"].files("main")


@pytest.mark.parametrize("revision", ["main", "v1", None, "f" * 39])
def test_a_branch_a_tag_or_nothing_names_the_commit_to_pin(made, hub, revision):
    pushed = push(made, "me/few")
    mark = "" if revision is None else f"@{revision}"
    with pytest.raises(SettingError) as caught:
        fetch_manifest(f"hf://me/few{mark}/things-clip-5")
    if revision == "f" * 39:
        assert "COMMIT of 40 hex digits" in str(caught.value)
    else:
        assert str(caught.value).endswith(f"now: {pushed.address('things-clip-5')}")


@pytest.mark.parametrize(
    "source",
    [
        "hf://me/few",
        f"hf://few@{NOWHERE}/x",
        f"hf://me/few@{NOWHERE}/..",
        f"hf://me/few@{NOWHERE}/../x",
        f"hf://me/few@{NOWHERE}/a%2fb",
        f"hf://me/few@{NOWHERE}/",
        f"hf://me/../few@{NOWHERE}/x",
        f"hf://../few@{NOWHERE}/x",
        f"hf://me/..@{NOWHERE}/x",
        "hf://me/few@../x",
        "hf://me/few@a/../../x",
        "hf://me/few@a?b/x",
        f"https://me/few@{NOWHERE}/x",
        "",
    ],
)
def test_what_is_no_address_never_reaches_the_hub(hub, source):
    with pytest.raises(
        SettingError, match="is not an address on the Hub; expected hf://OWNER/NAME@"
    ):
        fetch_manifest(source)
    assert hub.requests == []


def test_addresses_are_read_and_written_alike():
    address = f"hf://me/my.few@{NOWHERE}/clip_50+x"
    assert HubAddress.parse(address) == HubAddress("me/my.few", NOWHERE, "clip_50+x")
    assert str(HubAddress.parse(address)) == address
    assert HubAddress.parse("hf://me/few@refs/pr/1/x").revision == "refs/pr/1"


def test_what_is_not_there_is_one_line(made, hub):
    commit = push(made, "me/few").commit
    for address, line in {
        f"hf://me/few@{commit}/nothing": "me/few holds no such subset in manifests/ at that",
        f"hf://me/few@{NOWHERE}/x": "me/few has no such commit",
        f"hf://me/none@{NOWHERE}/x": "the Hub has no data set me/none, or shows it to its",
    }.items():
        with pytest.raises(DataError, match=line) as caught:
            fetch_manifest(address)
        assert "\n" not in str(caught.value)


def test_a_login_that_is_missing_or_wrong_is_one_line(made, hub):
    hub.use(token=None)
    with pytest.raises(SettingError, match="there is no login for the Hub; run: hf auth login"):
        push(made, "me/few")
    assert hub.requests == []
    hub.use(token="hf_wrong")  # noqa: S106
    with pytest.raises(FlashevalError, match="the Hub does not know this login: Invalid username"):
        push(made, "me/few")


def test_a_repository_of_others_is_one_line(made, hub):
    with pytest.raises(FlashevalError, match="forbids writing to others/few: You don't have"):
        push(made, "others/few")
    assert hub.repos == {}


def test_a_licence_that_the_hub_does_not_know_is_one_line(make_subset, hub, tmp_path):
    made = publish([make_subset()], tmp_path / "up", license="made-up")
    with pytest.raises(FlashevalError, match=r'the Hub refuses me/few: .*"license" must be one'):
        push(made, "me/few")


def test_private_is_private(made, hub):
    pushed = push(made, "me/few", private=True)
    assert hub.repos["me/few"].private
    assert fetch_manifest(pushed.address("things-clip-5")).exists()
    hub.use(token=None)
    with pytest.raises(DataError, match="or shows it to its owners only"):
        fetch_manifest(pushed.address("things-all-50"))


def test_private_is_not_pushed_into_what_is_public(made, hub):
    push(made, "me/few")
    with pytest.raises(SettingError, match="private=true, but me/few is there and public"):
        push(made, "me/few", private=True)
    assert len(hub.repos["me/few"].commits) == 2


def test_offline_is_one_line(made, hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(FlashevalError, match="HF_HUB_OFFLINE forbids"):
        push(made, "me/few")


def test_no_hub_is_one_line(made, hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens
    with pytest.raises(FlashevalError, match="the Hub cannot be reached"):
        push(made, "me/few")


@pytest.mark.parametrize(
    "repo",
    [None, "few", "me/few/x", "me/", "/few", "me/..", "me/a--b", "me/a.git", "me/a b", "a/-"],
)
def test_names_that_no_repository_has(hub, repo):
    with pytest.raises(SettingError, match="expected OWNER/NAME on the Hub"):
        check_push(repo)
    assert hub.requests == []


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(library_hub, "find_spec", lambda _: None)
    with pytest.raises(SettingError, match=r'the Hub needs: pip install "flasheval\[hub\]"'):
        fetch_manifest(f"hf://me/few@{NOWHERE}/x")


def test_the_client_is_imported_when_it_is_needed():
    code = (
        "import sys, json, flasheval.subset.upload.hub;"
        "import flasheval.subset.upload.wandb_artifact;"
        "late = 'huggingface_hub', 'wandb', 'pyarrow';"
        "print(json.dumps([name for name in late if name in sys.modules]))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(out.stdout) == []
