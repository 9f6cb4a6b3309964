"""Scorers by name, and the files of `conf/scorer` beside the dataclasses."""

import subprocess
import sys
from dataclasses import MISSING, fields

import pytest
from omegaconf import OmegaConf

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.resources import conf_dir
from flasheval.cli.help import first_comment, keys_of
from flasheval.scorers.clip import ClipSettings
from flasheval.scorers.python_objects import ObjectScorer
from flasheval.scorers.registry import SCORERS, make_scorer, make_scorers

CONF = conf_dir() / "scorer"


def test_a_name_a_mapping_settings_and_objects():
    assert make_scorer("clip") == ClipSettings()
    made = make_scorer({"name": "clip", "checkpoint": "a/b", "metric_name": "B"})
    assert made == ClipSettings("a/b", metric_name="B")
    assert make_scorer(made) is made
    assert isinstance(make_scorer(len), ObjectScorer)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("clop", "there is no scorer 'clop'; there are: clip, .*; did you mean 'clip'?"),
        ("my.py:score", r"given as \{name: function, function: my.py:score\}"),
        ({}, "scorer: its name is missing; there are: clip, pickscore, hps, aes"),
        ({"name": 3}, "there is no scorer 3; there are"),
        ({"name": "clip", "chekpoint": "a/b"}, "no setting 'chekpoint'.*mean 'checkpoint'"),
        ({"name": "clip", "kind": "x"}, "no setting 'kind'; it has: checkpoint, "),
        ({"name": "clip", "dtype": "fp8"}, 'scorer clip: dtype is "fp8"; expected one of'),
        ({"name": "clip", "batch": "many"}, 'scorer clip: batch is "many"; expected a whole'),
        ({"name": "clip", "batch": 0}, "scorer clip: batch=0; expected a whole number above 0"),
        ({"name": "clip", "metric_name": ""}, "scorer clip: the metric_name '' cannot be"),
        ("function", "scorer function: function is missing; add it"),
        ({"name": "reward", "function": "a:b", "style": "ppo"}, "style is .*one of"),
        (5, "scorer 5: expected a name"),
    ],
)
def test_a_mistake_is_one_line(entry, message):
    with pytest.raises(SettingError, match=message):
        make_scorer(entry)


def test_one_or_several_each_with_its_own_metric():
    assert make_scorers("clip") == (ClipSettings(),)
    assert make_scorers({"name": "clip"}) == (ClipSettings(),)
    other = {"name": "clip", "checkpoint": "a/b", "metric_name": "CLIP-B"}
    assert [scorer.metric for scorer in make_scorers(["clip", other])] == ["CLIP", "CLIP-B"]
    with pytest.raises(SettingError, match="two scorers give the metric CLIP; give each its own"):
        make_scorers(["clip", {"name": "clip", "checkpoint": "a/b"}])
    with pytest.raises(SettingError, match="no scorers are given; choose from clip"):
        make_scorers([])


def test_every_scorer_has_its_file():
    assert {path.stem for path in CONF.glob("*.yaml")} == set(SCORERS)


@pytest.mark.parametrize("kind", SCORERS)
def test_a_file_has_every_setting_with_its_default_and_meaning(kind):
    defaults = {
        field.name: None if field.default is MISSING else field.default
        for field in fields(SCORERS[kind])
    }
    assert OmegaConf.to_container(OmegaConf.load(CONF / f"{kind}.yaml")) == {
        "name": kind,
        **defaults,
    }
    assert set(keys_of(CONF / f"{kind}.yaml")) == set(defaults)
    assert first_comment(CONF / f"{kind}.yaml")


@pytest.mark.parametrize("kind", SCORERS)
def test_a_file_as_it_is_makes_the_scorer_or_says_what_it_needs(kind):
    settings = OmegaConf.to_container(OmegaConf.load(CONF / f"{kind}.yaml"))
    if settings.get("function", "none needed") is None:
        with pytest.raises(FlashevalError, match=f"scorer {kind}: function is null; expected a"):
            make_scorer(settings)
        settings["function"] = "module:name"
    assert make_scorer(settings).kind == kind


def test_planning_needs_no_torch():
    program = (
        "import sys, flasheval.scorers.registry as r;"
        "r.make_scorers([k for k in r.SCORERS if k not in ('function', 'reward')]);"
        "print({'torch', 'transformers', 'PIL', 'huggingface_hub'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout.strip() == "set()", ran.stderr
