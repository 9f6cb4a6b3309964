"""The verb on the miniature: its scores, its report, its images, and what cannot be done."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import flasheval
from flasheval.base.errors import FlashevalError
from flasheval.cli.commands.context import Context
from flasheval.cli.commands.evaluate import run_evaluate
from flasheval.cli.configs import evaluate_configs
from flasheval.evaluation.report import Report
from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.generators.function import FunctionSettings
from flasheval.generators.seeds import ImageSeeds
from flasheval.runs.kept.file_names import id_of
from flasheval.subset import Method, MetricInfo, Subset

Pillow = pytest.importorskip("PIL.Image")
pytest.importorskip("diffusers")

CLIP = {"name": "clip", "checkpoint": "miniature:clip"}
SCORERS = "scorers=[{name:clip,checkpoint:miniature:clip},miniature-quality]"
PARTS = {"vae": "miniature:vae", "text_encoder": "miniature:clip", "tokenizer": "miniature:clip"}
MODEL = (
    "checkpoint=miniature:small-final",
    "components={vae:miniature:vae,text_encoder:miniature:clip}",
    "components.tokenizer=miniature:clip",  # one at a time, or all at once
    "scheduler=DPM",
    "steps=3",
    "guidance=2",
    "dtype=fp32",
)
DRAW = ("generator=function", "function=draw.py:draw", "scorers=[miniature-quality]")
CODE = """
import numpy as np

def draw(prompts, seeds):
    open("calls.txt", "a").write("called ")
    return [np.random.default_rng(seed).random((32, 32, 3)) for seed in seeds]

def gap(prompts, seeds):
    return [None, *draw(prompts, seeds)[1:]]

def broken(prompts, seeds):
    raise ValueError("no\\nsuch thing")

def bare(prompts, seeds):
    raise ModuleNotFoundError("No module named 'diffusers'", name="diffusers")
"""


@pytest.fixture
def four(run, tmp_path):
    """Manifests of four prompts in the working folder, with texts and without; code beside."""
    prompts = flasheval.load_prompts("miniature")
    chosen = {"name": "four", "metrics": (MetricInfo("CLIP"),), "method": Method("random")}
    subset = Subset.choose(prompts, [7, 500, 901, 1999], with_texts=True, **chosen)
    subset.save(tmp_path / "four.json")
    subset.without_texts().save(tmp_path / "bare.json")
    (tmp_path / "draw.py").write_text(CODE)
    return subset


def _calls(folder):
    path = folder / "calls.txt"
    return len(path.read_text().split()) if path.exists() else 0


def test_a_pipeline_of_the_miniature_scores_what_its_table_says(run, four, tmp_path):
    words = [*MODEL, SCORERS, "images=kept", "out=r.json", "device=cpu"]
    ran = run("evaluate", "subset=bare.json", "prompts=miniature", *words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("miniature:small-final: 4 prompts of four, seed 0")
    assert 'warning: subset "four" is not calibrated' in ran.out
    assert "compare: flasheval compare r.json OTHER.json" in ran.out

    report = Report.load(tmp_path / "r.json")
    table = flasheval.load_scores("miniature")
    row = table.variant_names.index("small-final/DPM3/guidance2.0/fp32")
    columns = table.prompts.index_of(four.ids)
    for metric in ("CLIP", "Quality"):
        expected = table[metric].values[row, columns]
        np.testing.assert_allclose(report.metrics[metric].values, expected, atol=0.02)
    assert report.call["generator"] == "diffusers"
    assert (report.call["steps"], report.call["scheduler"]) == (3, "DPM")
    paths = sorted((tmp_path / "kept").iterdir())
    assert {id_of(path.stem) for path in paths} == set(four.ids)
    assert Pillow.open(paths[0]).size == (32, 32)

    # In Python the same settings, not loaded or loaded, give the same report.
    settings = DiffusersSettings(
        "miniature:small-final",
        scheduler="DPM",
        steps=3,
        guidance=2.0,
        dtype="fp32",
        components=PARTS,
    )
    for model in (settings, settings.load("cpu")):
        again = flasheval.evaluate(model, four, [CLIP, "miniature-quality"], device="cpu")
        assert again.metrics == report.metrics
        assert again.call == (report.call if model is settings else {})


def test_what_is_there_is_not_made_again(run, four, tmp_path):
    words = ["subset=four.json", *DRAW, "out=r.json", "step=20", "name=mine"]
    first = run("evaluate", *words)
    assert first.code == 0
    report = Report.load(tmp_path / "r.json")
    assert (report.name, report.step, report.seed) == ("mine", 20, 0)
    before, calls = (tmp_path / "r.json").read_bytes(), _calls(tmp_path)
    again = run("evaluate", *words, "batch=2")
    assert "made earlier with the same settings" in again.out
    assert first.out.splitlines()[:3] == again.out.splitlines()[:3]
    assert (tmp_path / "r.json").read_bytes() == before
    assert _calls(tmp_path) == calls
    for word, key in (("seed=1", "seed"), ("step=30", "step"), ("name=other", "name")):
        said = f"r.json is a report made with other settings ({key}): choose another out="
        run("evaluate", *[one for one in words if not one.startswith(f"{key}=")], word).one_line(
            said
        )
    changed = [one for one in words if not one.startswith("scorers=")]
    run("evaluate", *changed, "scorers=[{name:miniature-quality,metric_name:Q}]").one_line(
        "other settings (scorers)"
    )
    (tmp_path / "draw.py").write_text(CODE + "\n# another version\n")
    run("evaluate", *words).one_line("(generator's version)", "delete it")
    assert _calls(tmp_path) == calls


def test_images_that_lack_are_made_again(run, four, tmp_path):
    words = ["subset=four.json", *DRAW, "images=kept"]
    run("evaluate", *words)
    calls, gone = _calls(tmp_path), next((tmp_path / "kept").iterdir())
    gone.unlink()
    assert run("evaluate", *words).code == 0
    assert _calls(tmp_path) == calls + 1
    assert gone.is_file()
    (path,) = (tmp_path / "flasheval-runs" / "evaluate").glob("draw.py_draw-four-seed0-*.json")
    assert Report.load(path).subset.content_hash == four.content_hash

    # A prompt without an image has none of an earlier model either, and that is no lack.
    words = [word.replace(":draw", ":gap") for word in words]
    for calls_more in (1, 0):
        calls = _calls(tmp_path)
        ran = run("evaluate", *words)
        assert _calls(tmp_path) == calls + calls_more
        assert len(list((tmp_path / "kept").iterdir())) == 3
    assert "1 of 4 prompts have no Quality score" in ran.out


def test_a_tracker_gets_the_report(run, four, tmp_path):
    tracker = ("tracker=json_lines", "tracker.path=log/t.jsonl")
    assert run("evaluate", "subset=four.json", *DRAW, *tracker, "step=7").code == 0
    (line,) = (tmp_path / "log" / "t.jsonl").read_text().splitlines()
    (path,) = (tmp_path / "flasheval-runs" / "evaluate").iterdir()
    assert json.loads(line)["step"] == 7
    assert json.loads(line)["Quality"] == Report.load(path).means["Quality"]


def test_a_loaded_function_is_a_generator_too(four, tmp_path):
    settings = FunctionSettings(f"{tmp_path}/draw.py:draw")
    one = flasheval.evaluate(settings, four, "miniature-quality")
    other = flasheval.evaluate(settings.load("cpu"), four, "miniature-quality")
    assert one.metrics == other.metrics
    assert one.call["version"].startswith("sha256:")
    for model in (settings, settings.load("cpu")):
        with pytest.raises(FlashevalError, match="steps: a function is called with"):
            flasheval.evaluate(model, four, "miniature-quality", call={"steps": 3})


MANIFEST = "subset=four.json"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "subset is missing: flasheval evaluate subset=MANIFEST.json"),
        ([MANIFEST], "checkpoint is missing"),
        ([MANIFEST, "generator=functoin"], "there is no such generator; there are: diffusers, fun"),
        ([MANIFEST, *DRAW, "steps=3"], "steps is not a key"),
        ([MANIFEST, *DRAW, "function=draw.py:broken"], "draw.py:broken cannot be evaluated: Value"),
        ([MANIFEST, *DRAW, "function=draw.py:bare"], "diffusers is not installed; it comes with: "),
        ([MANIFEST, *DRAW, "tracker=wand"], "no such tracker; there are: json_lines"),
        ([MANIFEST, MODEL[0], "steps=few"], "steps=few: expected a whole number"),
        ([MANIFEST, MODEL[0], "chekpoint=x"], "chekpoint is not a key"),
        ([MANIFEST, MODEL[0], "components={unit:x}"], "checkpoint x: there is no such folder"),
    ],
)
def test_mistakes_are_one_line(run, four, tmp_path, words, said):
    before = set(tmp_path.iterdir())
    run("evaluate", *words).one_line(said)
    assert set(tmp_path.iterdir()) <= before | {tmp_path / "__pycache__"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"subset": "none.json"}, "none.json does not exist"),
        ({"subset": "draw.py"}, "draw.py: not JSON"),
        ({"subset": "bare.json"}, "bare.json holds no texts of its prompts: add prompts=FILE"),
        ({"subset": "bare.json", "prompts": "pets.txt"}, "4 of 4 prompts are not there"),
        ({"function": None}, "function is missing"),
        ({"function": "draw.py:drawn"}, "draw.py has no 'drawn'"),
        ({"scorers": ["clipp"]}, "no scorer 'clipp'"),
        ({"batch": 0}, "batch=0: expected a whole number above 0"),
        ({"device": "tpu"}, "device=tpu: expected"),
        ({"out": "there"}, "out=there: expected a name in .json"),
        ({"out": "four.json"}, "four.json: not a report"),
        ({"tracker": {"name": "json_lines"}}, "tracker json_lines needs its path"),
        ({"generator": "diffusers", "checkpoint": "nowhere"}, "checkpoint nowhere: there is no"),
        ({"generator": "diffusers", "checkpoint": "x", "steps": 0}, "generator diffusers: steps=0"),
    ],
)
def test_what_cannot_be_evaluated(four, tmp_path, monkeypatch, settings, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pets.txt").write_text("a cat\na dog\n")
    before = set(tmp_path.iterdir())
    base = {"subset": "four.json", "scorers": ["miniature-quality"], "generator": "function"}
    base |= {"function": "draw.py:draw"} if "checkpoint" not in settings else {}
    whole = base | settings
    with pytest.raises(FlashevalError, match=said):
        run_evaluate(evaluate_configs()[whole["generator"]](**whole), Context(Console()))
    assert set(tmp_path.iterdir()) <= before | {tmp_path / "__pycache__"}


def test_several_images_of_each_prompt(run, four, tmp_path):
    words = ["subset=four.json", *DRAW, "out=r.json", "images=kept", "images_per_prompt=3"]
    ran = run("evaluate", *words, "seeds=other")
    assert (ran.code, ran.err) == (0, "")
    assert "4 prompts of four, 3 images a prompt, seed 3050890706" in ran.out
    assert "images made with run seed 3050890706, not the search's" in ran.out
    report = Report.load(tmp_path / "r.json")
    assert (report.images_per_prompt, report.seeds) == (3, "other")
    names = sorted(path.stem for path in (tmp_path / "kept").iterdir())
    assert len(names) == 12
    assert {f"{four.ids[0]}", f"{four.ids[0]}+1", f"{four.ids[0]}+2"} <= set(names)

    calls = _calls(tmp_path)
    again = run("evaluate", *words, "seeds=other")
    assert "made earlier with the same settings" in again.out
    (tmp_path / "kept" / f"{four.ids[1]}+2.png").unlink()
    assert run("evaluate", *words, "seeds=other").code == 0
    assert _calls(tmp_path) == calls + 2  # 12 images, 8 at a time
    run("evaluate", *words[:-1], "seeds=other").one_line("other settings (images_per_prompt)")
    run("evaluate", *words[:-1], "images_per_prompt=0").one_line("expected a whole number")
    run("evaluate", *words, "seeds=both").one_line("seeds=both: expected search or other")


def test_a_pipeline_makes_the_images_that_the_subset_was_searched_on(run, four, tmp_path):
    record = replace(four.record, seeds=ImageSeeds(5), images_searched=2)
    replace(four, record=record).save(tmp_path / "searched.json")
    words = ["subset=searched.json", *MODEL, SCORERS, "device=cpu"]
    for name, more in (("a", ["steps=2"]), ("b", ["steps=1"])):
        kept = [word for word in words if not word.startswith("steps=")]
        ran = run("evaluate", *kept, *more, f"name={name}", f"out={name}.json")
        assert (ran.code, ran.err) == (0, "")
        assert "4 prompts of four, 2 images a prompt, seed 5" in ran.out
    report = Report.load(tmp_path / "a.json")
    part = report.metrics["Quality"].image_values
    assert part.shape == (4, 2)
    assert (part[:, 0] != part[:, 1]).all()
    ran = run("compare", "a.json", "b.json")
    assert "of which images alone: " in ran.out
    run("compare", "a.json", "b.json", "looks=[4x3]").one_line("the report has 2 images a prompt")
    run("compare", "a.json", "b.json", "looks=[two]").one_line("prompts x images, as 10x4")
    one = run("evaluate", *words, "seed=5", "images_per_prompt=1", "name=a", "out=one.json")
    assert one.code == 0
    assert "not the search's" not in one.out
