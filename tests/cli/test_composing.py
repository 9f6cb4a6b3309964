"""Settings composed as Hydra will: types, the names of folders, and the check before a run."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import OmegaConf

from flasheval.base.errors import SettingError
from flasheval.base.resources import conf_dir
from flasheval.cli.composing import check_jobs, plain_settings, register
from flasheval.cli.configs import SearchConfig, importer_configs, method_configs


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)


@contextmanager
def started(verb: str) -> Iterator[Any]:
    """Give Hydra, initialized for the verb as the command line does."""
    register(verb)
    with initialize_config_dir(str(conf_dir()), job_name=verb, version_base="1.3"):
        yield GlobalHydra.instance().hydra


def check(*words: str, verb: str = "search", many: bool = False) -> Path:
    with started(verb) as hydra:
        return check_jobs(hydra, verb, list(words), many=many)[0]


# --- types and plain settings -------------------------------------------------------------------


def test_every_type_is_registered() -> None:
    for verb in ("search", "import", "show"):
        register(verb)
    store = ConfigStore.instance()
    assert store.list("schema/method") == sorted(f"{name}.yaml" for name in method_configs())
    assert store.list("schema/import") == sorted(f"{name}.yaml" for name in importer_configs())
    assert {"search.yaml", "show.yaml"} <= set(store.list("schema"))
    for name in ("name", "folder", "sweep_folder"):
        assert OmegaConf.has_resolver(f"flasheval.{name}")


def test_joblib_has_a_job_a_core_and_at_least_two(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    for cores, jobs in ((None, 2), (1, 2), (64, 64), (os.cpu_count(), max(2, os.cpu_count() or 2))):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        register("show")
        assert ConfigStore.instance().load("hydra/launcher/joblib.yaml").node.n_jobs == jobs


def test_plain_settings_are_the_composed_ones_without_hydra_s() -> None:
    words = ["size=7", "metric=[clip,fid]", "higher_is_better={fid: false}", "method=random"]
    with started("search") as hydra:
        settings = plain_settings(hydra.compose_config("search", words, RunMode.RUN))
    assert settings["size"] == 7
    assert settings["metric"] == ["clip", "fid"]
    assert settings["higher_is_better"] == {"fid": False}
    assert settings["method"] == {"name": "random"}
    assert set(settings) == set(SearchConfig.__dataclass_fields__)
    assert type(settings["metric"]) is list
    assert type(settings["method"]) is dict
    assert json.loads(json.dumps(settings)) == settings


def test_plain_settings_resolve_references() -> None:
    root = OmegaConf.create({"size": 5, "seed": "${size}", "hydra": {"x": "${nowhere}"}})
    assert plain_settings(root) == {"size": 5, "seed": 5}
    assert plain_settings(OmegaConf.create({})) == {}


# --- folders ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ([], "miniature-all-auto-50-seed0"),
        (["size=7", "seed=3", "metric=clip"], "miniature-clip-auto-7-seed3"),
        (["metric=[clip,fid]", "method=shared"], "miniature-clip+fid-shared-50-seed0"),
        (["method=frequency"], "miniature-all-frequency-50-seed0"),
    ],
)
def test_a_run_is_named_by_its_settings(words: list[str], name: str) -> None:
    assert check(*words) == Path("flasheval-runs/search") / name


def test_other_settings_add_a_hash_and_the_defaults_said_aloud_none() -> None:
    plain = check("method=balanced")
    defaults = ("method.passes=8", "splits=random:10", "draws=200", "out=null")
    assert check("method=balanced", *defaults) == plain
    changed = check("method=balanced", "method.passes=9")
    assert changed.name.startswith(f"{plain.name}-")
    assert len(changed.name) == len(plain.name) + 9
    words = ("method.passes=10", "splits=random:9", "name=mine")
    others = [check("method=balanced", word) for word in words]
    assert len({plain, changed, *others}) == 5


def test_out_is_the_folder_itself() -> None:
    assert check("out=mine/here", "size=7") == Path("mine/here")
    assert check("out=mine", "size=7,8", many=True) == Path("mine")


def test_a_sweep_is_named_by_what_is_swept_and_a_hash_of_all_words() -> None:
    words = ["size=10,20", "method=anneal,evolve", "draws=50"]
    digest = hashlib.sha256(b'["draws=50","method=anneal,evolve","size=10,20"]').hexdigest()
    sweeps = Path("flasheval-runs/search-sweep")
    assert check(*words, many=True) == sweeps / f"method-size-{digest[:8]}"
    assert check(*words[::-1], many=True) == sweeps / f"method-size-{digest[:8]}"
    one = hashlib.sha256(b'["size=10"]').hexdigest()
    assert check("size=10", many=True) == sweeps / f"all-{one[:8]}"
    nothing = hashlib.sha256(b"[]").hexdigest()
    assert check(many=True) == sweeps / f"all-{nothing[:8]}"


def test_nothing_is_written_by_a_check(tmp_path: Path) -> None:
    check("size=10,20", many=True)
    check("out=mine")
    assert list(tmp_path.iterdir()) == []


# --- the check ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "words", "line"),
    [
        ("search", ["sise=3"], "sise is not a key; did you mean 'size'?"),
        ("search", ["size=ten"], "size=ten: expected a whole number"),
        ("search", ["size=1,2"], "size=1,2: one value expected"),
        ("search", ["method=balance"], "method=balance: there is no such method; there are: anch"),
        ("search", ["method=random", "method.swaps=3"], "method random has no setting swaps"),
        ("search", ["+foo=1"], "foo is not a key; there are: method, scores"),
        ("search", ["+method.foo=1"], "method auto has no setting foo; there are: expect"),
        ("search", ["++method.foo=1"], "method auto has no setting foo; there are: expect"),
        ("search", ["method=random", "+method.foo=1"], "method random has no setting foo; it has"),
        ("search", ["scores=${nowhere}"], "scores"),
        ("show", ["metrik=clip"], "metrik is not a key"),
        ("import", ["importer=wide", "metrics=[a]"], "metrics is not a key"),
        ("import", ["importer=excel"], "importer=excel: there is no such importer; there are: "),
    ],
)
def test_a_mistake_is_told_in_one_line(verb: str, words: list[str], line: str) -> None:
    with pytest.raises(SettingError) as caught:
        check(*words, verb=verb)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["size=10,ten"], "size=ten: expected a whole number"),
        (["method=random,balanse"], "method=balanse: there is no such method"),
        (["method=anneal,random", "method.swaps=choice(9)"], "method random has no setting swaps"),
        (["seed=1,2", "sise=3"], "sise is not a key"),
        (["seed=1,2", "+foo=1"], "foo is not a key"),
    ],
)
def test_every_job_of_a_sweep_is_checked(words: list[str], line: str) -> None:
    with pytest.raises(SettingError) as caught:
        check(*words, many=True)
    assert line in str(caught.value)


def test_hydra_s_own_exception_is_shown_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ConfigCompositionException, match="sise"):
        check("sise=3")


def test_every_verb_can_be_checked() -> None:
    # Only a search has a folder of its own.
    assert check("path=a.json", verb="show") == Path()
    assert check("importer=long", "factors=[steps]", "source=x.csv", verb="import") == Path()


def test_the_job_s_words_are_those_of_hydra_s_sweeper() -> None:
    """As many jobs are composed as Hydra's basic sweeper would run, each with its own settings."""
    composed: list[list[str]] = []
    hydra = SimpleNamespace()

    def compose(verb: str, words: list[str], mode: RunMode) -> Any:
        composed.append(words)
        return OmegaConf.create({"hydra": {"sweep": {"dir": "there"}, "run": {"dir": "here"}}})

    hydra.compose_config = compose
    words = ["size=range(1,4)", "seed=1,2", "draws=50"]
    assert check_jobs(hydra, "search", words, many=True)[0] == Path("there")
    assert composed[0] == words
    expected = [
        [f"size={size}", f"seed={seed}", "draws=50"] for size in (1, 2, 3) for seed in (1, 2)
    ]
    assert composed[1:] == expected
