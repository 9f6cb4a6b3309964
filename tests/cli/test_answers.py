"""Answers for programs, through `main`: each document against its schema, and each file shown."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from flasheval.cli import main
from flasheval.cli.answers import Answers, as_json
from flasheval.cli.verbs import VERBS
from flasheval.prompts import PromptSet
from flasheval.scores.synthetic import synthetic_scores
from flasheval.subset import Method, MetricInfo, Subset

MODELS = """
import numpy as np

def _draw(prompts, level):
    return [np.full((8, 8, 3), level + len(one) / 500) for one in prompts]

def dark(prompts, seeds):
    return _draw(prompts, 0.2)

def bright(prompts, seeds):
    return _draw(prompts, 0.6)

def light(images, prompts):
    return [image.getpixel((0, 0))[0] / 255 for image in images]
"""
Here = Any  # the fixture's class, of conftest.py
LIGHT = "scorers=[{name:function,function:mine.py:light,metric_name:light}]"
LOADS = """
def load(path):
    level = float(path.read_text())
    return lambda prompts, seeds: _draw(prompts, level)
"""
POPULATION = """
settings: {generator: function}
variants:
  - {name: dark, function: mine.py:dark}
"""


@pytest.mark.parametrize("verb", VERBS)
def test_a_mistake_is_a_document_too(verb: str, here: Here) -> None:
    first = ["wide"] if verb == "import" else []
    document = here(verb, *first, "no_such_key=1")
    assert (document["kind"], document["exit_code"]) == ("error", 2)
    assert document["error"]["kind"] == "SettingError"
    assert document["error"]["message"] in here.err
    assert here.err.count("\n") == 1


def test_what_fails_before_a_verb_begins_is_a_document(here: Here) -> None:
    assert "no verb 'sho'" in here("sho")["error"]["message"]
    assert here("show", "--cgf")["exit_code"] == 2
    assert here("show", "nothing.csv")["exit_code"] == 1


def test_a_bug_is_a_document_and_a_traceback(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        print("words of a library")
        raise ZeroDivisionError("by 0")

    monkeypatch.setattr("flasheval.cli.commands.rank.run_rank", fail)
    document = here("rank")
    assert document["error"] == {"kind": "ZeroDivisionError", "message": "by 0"}
    assert document["exit_code"] == 1
    assert "Traceback" in here.err
    assert "words of a library" in here.err


def test_an_interruption_is_a_document(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flasheval.cli.commands.rank.run_rank", stop)
    assert here("rank")["exit_code"] == 130


def test_the_last_word_decides_and_a_document_is_given_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not Answers(["json=true", "json=false"]).json
    with Answers(["json=True"]) as answers:
        assert sys.stdout is sys.stderr
        answers.give({"kind": "answer"})
        answers.give({"kind": "error"})
    assert sys.stdout is not sys.stderr
    assert json.loads(capsys.readouterr().out) == {"kind": "answer"}


def test_help_and_settings_stay_text(capsys: pytest.CaptureFixture[str]) -> None:
    for word in (["--help"], ["--cfg", "job"]):
        assert main(["show", *word, "json=true"]) == 0
        assert "json" in capsys.readouterr().out


def test_a_document_is_ascii_and_never_nan() -> None:
    assert as_json({"name": "é\ud800"}).isascii()
    with pytest.raises(ValueError, match="nan"):
        as_json({"score": float("nan")})


def test_numbers_are_whole_and_what_is_missing_is_null(here: Here) -> None:
    rows = ["prompt_id,a,b"] + [f"{i},{1 / (i + 3)!r},{i / 7!r}" for i in range(6)]
    rows[2] = "1,,0.5"
    Path("clip.csv").write_text("\n".join(rows))
    result = here.answer("show", "clip.csv", kind="score_table")["result"]
    means = {one["name"]: one["means"]["clip"] for one in result["variants"]}
    assert means["a"] is None
    assert len(repr(means["b"])) > 10


def test_quiet_says_nothing_and_verbose_tells_the_steps(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "coco-clip-50", "quiet=true"]) == 0
    assert capsys.readouterr() == ("", "")
    Path("clip.csv").write_text("prompt_id,a\n1,0.5\n2,0.25\n")
    assert main(["show", "clip.csv", "verbose=true"]) == 0
    captured = capsys.readouterr()
    assert "flasheval.scores.importers.by_shape: read scores of 1 variants" in captured.err
    assert "by_shape" not in captured.out
    assert main(["show", "clip.csv"]) == 0
    assert "by_shape" not in capsys.readouterr().err


def test_the_keys_that_change_nothing_name_no_other_folder(here: Here) -> None:
    synthetic_scores(8, 30).with_metrics(["quality"]).save("scores")
    words = ("search", "scores=scores", "size=3", "method=random", "splits=null", "draws=5")
    first = here.answer(*words, "calibrate=false", "curve=null", kind="search")
    assert main([*words, "calibrate=false", "curve=null", "progress=false", "quiet=true"]) == 0
    again = here.answer(*words, "calibrate=false", "curve=null", "quiet=true", kind="search")
    assert first["files"] == again["files"]
    assert len(list(Path("flasheval-runs/search").iterdir())) == 1
    sweep = here(*words, "calibrate=false", "curve=null", "-m", "seed=0,1")
    assert [job["result"]["kind"] for job in sweep["jobs"]] == ["search", "search"]
    assert sweep["kind"] == "sweep"
    assert Path(sweep["files"]["table"]).is_file()


def test_every_answer_fits_its_schema_and_every_file_is_shown(here: Here) -> None:
    """Verbs that answer, in a folder; then `show` has a line for each file that they wrote."""
    Path("mine.py").write_text(MODELS)
    Path("population.yaml").write_text(POPULATION)
    texts = tuple(f"a {'very ' * i}small cat" for i in range(8))
    ids = tuple(map(str, range(8)))
    prompts = PromptSet("pets", ids, texts=texts)
    Path("pets.jsonl").write_text(
        "\n".join(json.dumps({"id": i, "text": t}) for i, t in zip(ids, texts, strict=True))
    )
    chosen = Subset.choose(
        prompts,
        range(8),
        name="pets-8",
        metrics=(MetricInfo("light"),),
        method=Method("random"),
        with_texts=True,
    )
    chosen.save("pets-8.json")
    table = synthetic_scores(12, 40)
    table.save("scores")
    table.with_variants(table.variant_names[:8]).save("old")

    here.answer("show", "scores", kind="score_table")
    here.answer("show", "pets-8.json", kind="subset")
    here.answer("show", "prompts=pets.jsonl", kind="prompt_set")
    here.answer("rank", "scores=scores", "out=board", "draws=50", kind="leaderboard")
    quick = ("scores=old", "metric=quality", "splits=random:2", "draws=5")
    search = ("search", *quick, "method=pooled", "size=4", "curve=null", "out=search")
    here.answer(*search, "calibrate=false", kind="search")
    validate = ("validate", *quick, "methods=[random]", "size=4", "out=validation")
    here.answer(*validate, kind="validation")
    here.answer("show", "validation", kind="validation")
    here.answer("votes", "scores=scores", "metric=quality", "out=votes", kind="vote_board")
    here.answer("audit", "search", "scores=scores", "draws=5", kind="audit")
    here.answer("subsets", "list", "coco-clip", kind="subsets")
    here.answer("subsets", "verify", "pets-8.json", kind="verification")
    here.answer("subsets", "show", "pets-8.json", kind="manifests")
    export = here.answer("subsets", "export", "pets-8.json", "format=text", kind="export")
    assert export["result"]["text"].splitlines() == list(texts)
    Path("wide.csv").write_text("prompt_id,a,b\n1,0.5,0.25\n2,0.75,0.5\n")
    here.answer("import", "wide", "source=wide.csv", "out=imported", kind="import")
    for name in ("dark", "bright"):
        here.answer(
            "evaluate",
            "subset=pets-8.json",
            "generator=function",
            f"function=mine.py:{name}",
            f"name={name}",
            LIGHT,
            f"out={name}.json",
            kind="report",
        )
    compare = ("compare", "bright.json", "dark.json", "out=compared.json")
    compared = here.answer(*compare, kind="comparisons")
    kept = json.loads(Path("compared.json").read_text())
    assert {**kept, "command": ""} == {**compared, "command": ""}
    assert here.shown(Path("compared.json")) == compared["headline"]
    run = ("population=population.yaml", "prompts=pets.jsonl", LIGHT, "out=run")
    here.answer("run", *run, kind="run")
    here.answer("status", "run", "out=status.json", kind="run_status")
    here.answer("report", "search", kind="page")

    skipped = ("mine.py", "population.yaml", "pets.jsonl", "cache")
    written = [
        path
        for path in sorted(here.folder.rglob("*"))
        if path.is_file() and not set(skipped) & set(path.relative_to(here.folder).parts)
    ]
    assert len(written) > 25
    alike = {(path.parent, path.suffix): path for path in written if "units" in path.parts}
    shown = {  # one of many units is enough
        str(path.relative_to(here.folder)): here.shown(path)
        for path in written
        if alike.get((path.parent, path.suffix), path) == path
    }
    assert {name: line for name, line in shown.items() if "error" in line or not line.strip()} == {}


def test_every_answer_of_models_and_images_fits_its_schema(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flasheval.evaluation.watching.watcher.free_memory", lambda: None)
    Path("mine.py").write_text(f"{MODELS}\n{LOADS}")
    Path("population.yaml").write_text(
        f"{POPULATION}  - {{name: bright, function: mine.py:bright}}"
    )
    Path("pets.csv").write_text("id,text\n" + "\n".join(f"{i},a cat {i}" for i in range(4)))
    work = ("population=population.yaml", "prompts=pets.csv")
    doctor = here.answer("doctor", *work, LIGHT, "out=run", kind="diagnosis")
    assert {one["ok"] for one in doctor["result"]["checks"]} == {True}
    made = here.answer("generate", *work, "out=run", kind="run")
    assert made["result"]["failures"] == []
    scored = here.answer("score", *work, LIGHT, "out=run", kind="run")
    assert scored["result"]["scores"]["kind"] == "score_table"
    page = here.answer("votes", "page", "run=run", "out=page", kind="votes_page")
    assert page["result"]["pairs"] > 0
    votes = here("votes", "rank", "page", "metric=light")
    assert (votes["kind"], votes["exit_code"]) == ("error", 2)

    rows = [{"id": one, "caption": f"a cat {one}"} for one in ("3", "1")]
    Path("chosen.jsonl").write_text("\n".join(map(json.dumps, rows)))
    words = ("settings.metric=light", "prompts=pets.csv", "out=chosen.json")
    imported = here.answer("subsets", "import", "chosen.jsonl", *words, kind="manifests")
    assert [one["id"] for one in imported["result"]["manifests"][0]["prompts"]] == ["3", "1"]
    resolved = here.answer("subsets", "resolve", "chosen.json", "prompts=pets.csv", kind="texts")
    assert resolved["result"]["new_texts"] == 2
    published = here.answer("publish", "chosen.json", "out=published", kind="publication")
    assert published["result"]["pushed"] is None

    Path("training").mkdir()
    for step, level in ((1, "0.25"), (2, "0.5"), (3, "no number")):
        Path(f"training/step={step}.ckpt").write_text(level)
    watch = ("watch", "training", "subset=chosen.json", LIGHT, "loader=mine.py:load", "settle=0")
    board = here.answer(*watch, "once=true", "out=watched", kind="checkpoint_board")["result"]
    assert [one["name"] for one in board["standings"]] == ["step=2.ckpt", "step=1.ckpt"]
    assert list(board["failed"]) == ["step=3.ckpt"]
    assert here("watch", "nowhere", *watch[2:])["error"]["kind"] == "DataError"
