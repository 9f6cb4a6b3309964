"""`flasheval publish`: the folder, what it says it would upload, and the upload."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from flasheval.base.errors import SettingError
from flasheval.cli.commands.context import Context
from flasheval.cli.commands.publish import run_publish
from flasheval.cli.configs import PublishConfig
from flasheval.prompts import PromptSet, save_prompts
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.library import find_subset

PROMPTS = PromptSet("pets", ("1", "2", "3"), ("a cat", "a dog", "a newt"))


@pytest.fixture
def manifests(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLASHEVAL_CACHE", str(tmp_path / "texts"))
    metrics, method = (MetricInfo("clip"),), Method("random", seed=0)
    return [
        str(
            Subset.choose(
                PROMPTS, range(size), name=f"pets-{size}", metrics=metrics, method=method
            ).save(f"pets-{size}.json")
        )
        for size in (1, 2)
    ]


@pytest.fixture
def publish_it(tmp_path):
    """A function: publish_it(names, ...) -> what was printed."""

    def call(names, **settings):
        console = Console(file=(tmp_path / "out.txt").open("w+"), width=100, highlight=False)
        with console.file:
            run_publish(PublishConfig(names=names, **settings), Context(console))
            console.file.seek(0)
            return console.file.read()

    return call


@pytest.fixture
def hub(tmp_path, monkeypatch):
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    module = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[2] / "fake_hub.py")))
    with module.FakeHub() as fake:
        module.use(fake, tmp_path / "hub-cache", monkeypatch)
        yield fake


def test_it_writes_says_what_it_would_upload_and_uploads_nothing(manifests, publish_it, hub):
    printed = publish_it(manifests)
    folder = Path("flasheval-runs/publish/pets-1-and-1-more")
    assert f"folder: {folder}/ (6 files, " in printed
    assert 'warning: the licence of the prompts of "pets" is not known' in printed
    assert "nothing was uploaded; push=true repo=OWNER/NAME would put the folder's 6" in printed
    assert (folder / "README.md").exists()
    printed = publish_it(manifests, repo="me/pets", license="mit", out="up")
    assert "nothing was uploaded; push=true would put" in printed
    assert "warning" not in printed
    assert 'load_dataset("me/pets", "pets-1"' in Path("up/README.md").read_text(encoding="utf-8")
    assert hub.requests == []


def test_it_pushes_and_says_how_to_load(manifests, publish_it, hub):
    printed = publish_it(manifests, out="up", push=True, repo="me/pets", message="pets")
    (commit,) = (line.split()[1] for line in printed.splitlines() if line.startswith("commit:"))
    assert f"pushed: {hub.endpoint}/datasets/me/pets" in printed
    address = f"hf://me/pets@{commit}/pets-1"
    assert f'load:   flasheval.load_subset("{address}")' in printed
    assert find_subset(address) == Subset.load(manifests[0])
    assert hub.repos["me/pets"].messages[-1] == "pets"


def test_texts_of_a_file_are_included(manifests, publish_it, tmp_path):
    save_prompts(PROMPTS, tmp_path / "mine.parquet")
    publish_it(manifests[1:], out="up", prompts="mine.parquet")
    assert Subset.load("up/manifests/pets-2.json").texts == ("a cat", "a dog")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"names": []}, "names is missing: flasheval publish NAME"),
        ({"push": True}, "repo=null: expected OWNER/NAME"),
        ({"push": True, "repo": "pets"}, "repo=pets: expected OWNER/NAME"),
        ({"artifact": "a b"}, "artifact=a b: expected at most 128"),
        ({"names": ["no-such-subset"]}, "there is no subset 'no-such-subset'"),
    ],
)
def test_mistakes_are_found_before_anything_is_written(
    manifests, publish_it, tmp_path, settings, line
):
    with pytest.raises(SettingError, match=line):
        publish_it(**{"names": manifests, "out": "up", **settings})
    assert not (tmp_path / "up").exists()


@pytest.mark.slow  # wandb's own process starts
def test_an_artifact_offline(manifests, publish_it, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="wandb is not installed")
    for key in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"WANDB_{key}_DIR", str(tmp_path / "home"))
    for key, value in {"MODE": "offline", "SILENT": "true", "DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"WANDB_{key}", value)
    printed = publish_it(manifests, out="up", artifact="pets", project="p")
    wandb.teardown()
    assert "wandb:  pets is written; upload it: wandb sync wandb/offline-run-" in printed
