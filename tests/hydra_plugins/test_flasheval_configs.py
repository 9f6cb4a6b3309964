"""flasheval's settings in an application that is not flasheval's, composed by Hydra itself."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.object_type import ObjectType
from hydra.errors import HydraException
from omegaconf import OmegaConf

import flasheval
from flasheval.base.errors import FlashevalError
from flasheval.scores.synthetic import synthetic_scores
from hydra_plugins.flasheval_configs import FlashevalConfigSource

Compose = Callable[..., Any]


@pytest.fixture
def composed(tmp_path: Path) -> Compose:
    """A function: composed(defaults, *overrides) as an application with these defaults does."""

    def composed(defaults: str, *overrides: str) -> Any:
        (tmp_path / "app.yaml").write_text(f"defaults: {defaults}\nlr: 0.1\n")
        with initialize_config_dir(str(tmp_path), version_base="1.3"):
            return compose("app", overrides=list(overrides))

    return composed


@pytest.mark.parametrize(
    "defaults",
    [
        "[flasheval/search, {flasheval/method: pooled}, _self_]",
        "[{flasheval/method: pooled}, flasheval/search, _self_]",  # the order is no matter
    ],
)
def test_a_choice_reaches_the_function_that_takes_it(composed: Compose, defaults: str) -> None:
    words = ("flasheval.search.size=4", "flasheval.method.passes=3", "flasheval.search.splits=null")
    config = composed(defaults, *words, "flasheval.search.calibrate=false")
    assert config.lr == 0.1
    table = synthetic_scores(8, 40)
    found = flasheval.search(**{**config.flasheval.search, "scores": table, "progress": False})
    assert (found.subset.size, found.subset.method.name) == (4, "pooled")
    assert found.subset.method.settings["passes"] == 3


def test_without_a_choice_it_is_the_functions_own_default(composed: Compose) -> None:
    config = composed("[flasheval/search, flasheval/evaluate, flasheval/monitor, _self_]")
    assert config.flasheval.search.method == "auto"
    assert config.flasheval.evaluate.scorers is None  # the subset's own
    assert list(config.flasheval.monitor.trackers) == []
    assert "generator" not in config.flasheval.evaluate  # the application's own model


def test_a_choice_is_made_on_the_command_line(composed: Compose) -> None:
    defaults = "[flasheval/search, {flasheval/method: auto}, _self_]"
    config = composed(defaults, "flasheval/method=anneal", "flasheval.method.swaps=9")
    assert dict(config.flasheval.search.method)["swaps"] == 9
    config = composed("[flasheval/monitor, _self_]", "+flasheval/tracker=json_lines")
    assert config.flasheval.monitor.trackers.name == "json_lines"


def test_it_has_a_place_of_the_applications_choice(composed: Compose) -> None:
    defaults = "[flasheval/search@quick, {flasheval/method@quick.method: random}, _self_]"
    config = composed(defaults)
    assert config.quick.search.method.name == "random"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("flasheval.search.sise=3", "Could not override 'flasheval.search.sise'"),
        ("flasheval.search.size=few", "Error merging override flasheval.search.size=few"),
        ("flasheval/method=pool", "Could not find 'flasheval/method/pool'"),
        ("flasheval.method.swaps=3", "Could not override 'flasheval.method.swaps'"),
    ],
)
def test_a_mistake_is_hydras_to_tell(composed: Compose, words: str, said: str) -> None:
    with pytest.raises(HydraException, match=said):
        composed("[flasheval/search, {flasheval/method: pooled}, _self_]", words)


def test_what_is_left_out_is_told_in_one_line(composed: Compose) -> None:
    config = composed("[flasheval/search, flasheval/evaluate, _self_]").flasheval
    calls = (
        lambda: flasheval.search(**config.search),
        lambda: flasheval.evaluate(len, **config.evaluate),
    )
    for call, missing in zip(calls, ("scores", "subset"), strict=True):
        with pytest.raises(FlashevalError, match=missing) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_everything_that_is_listed_can_be_loaded() -> None:
    source = FlashevalConfigSource("flasheval", "flasheval://")
    assert source.available()
    assert source.list("", None) == ["flasheval"]
    groups = source.list("flasheval", ObjectType.GROUP)
    paths = [f"flasheval/{name}" for name in source.list("flasheval", ObjectType.CONFIG)]
    paths += [
        f"flasheval/{one}/{name}"
        for one in groups
        for name in source.list(f"flasheval/{one}", None)
    ]
    assert {"flasheval/search", "flasheval/monitor", "flasheval/generator/diffusers"} <= set(paths)
    for path in paths:
        assert source.is_config(path)
        assert not source.is_group(path)
        found = source.load_config(path)
        assert OmegaConf.is_dict(found.config)
        assert found.header == {"package": None}
    for path in (
        "method",
        "flasheval/methods",
        "other",
        "flasheval/method/none",
        "flasheval/a/b/c",
    ):
        assert not source.is_config(path)
        assert not source.is_group(path)
        with pytest.raises(HydraException, match="no settings"):
            source.load_config(path)


def test_an_application_that_does_not_use_it_pays_nothing(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import hydra, json, sys\n"
        "from hydra.core.plugins import Plugins\n"
        "@hydra.main(version_base='1.3', config_path=None)\n"
        "def main(config):\n"
        "    took = Plugins.instance().get_stats().modules_import_time\n"
        "    ours = [name for name in sys.modules if name.partition('.')[0] in\n"
        "            ('flasheval', 'numpy', 'numba', 'torch')]\n"
        "    print(json.dumps([took['hydra_plugins.flasheval_configs'], ours]))\n"
        "main()\n"
    )
    words = [sys.executable, "app.py", "+lr=1", "hydra.run.dir=.", "hydra.output_subdir=null"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    took, ours = json.loads(done.stdout)
    assert ours == []
    assert took < 0.05
