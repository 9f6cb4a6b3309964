"""An experiment of `flasheval run`: a population of Python functions, compared and drawn."""

import textwrap

import numpy as np
import pytest
from PIL import Image

from flasheval.cli.help import verb_help
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet, save_prompts
from flasheval.scores import ScoreMatrix, ScoreTable, load_scores

DRAWING = """
    import numpy as np

    def bright(prompts, seeds):
        return [np.random.default_rng(seed).random((8, 8, 3), dtype="f4") for seed in seeds]

    def dark(prompts, seeds):
        return [image / 2 for image in bright(prompts, seeds)]

    def faulty(prompts, seeds):
        images = bright(prompts, seeds)
        return [None if text.endswith("3") else image for text, image in zip(prompts, images)]

    def mean(images, prompts):
        return [float(np.asarray(image).mean()) for image in images]
"""
EXPERIMENT = """
    # @package _global_
    # flasheval run: three variants of two functions
    population:
      settings: {generator: function}
      variants:
        - {name: a, function: "drawing.py:bright"}
        - {name: b, function: "drawing.py:dark"}
        - {name: c, function: "drawing.py:faulty"}
    prompts: things.parquet
    scorers: [{name: function, function: "drawing.py:mean"}]
    device: cpu
    out: out
"""


@pytest.fixture
def bench(run, tmp_path):
    """A folder with the experiment `mine`, its prompts, and a score table of what it has given."""
    (tmp_path / "drawing.py").write_text(textwrap.dedent(DRAWING))
    (tmp_path / "conf/experiment").mkdir(parents=True)
    (tmp_path / "conf/experiment/mine.yaml").write_text(textwrap.dedent(EXPERIMENT).lstrip())
    save_prompts(_table("mean").prompts, "things.parquet")

    def bench(*words, verb="run"):
        return run(verb, "--config-dir", "conf", "experiment=mine", *words)

    return bench


def _table(metric, text="thing"):
    prompts = PromptSet("things", [f"p{i}" for i in range(5)], [f"{text} {i}" for i in range(5)])
    matrix = ScoreMatrix(metric, np.zeros((1, 5)), ("a",), prompts.ids)
    return ScoreTable(prompts, (Variant("a"),), {metric: matrix})


def _changed(source, target, variant, prompt, by):
    table = load_scores(source)
    matrix = table["mean"]
    values = matrix.values.copy()
    values[table.variant_names.index(variant), table.prompts.ids.index(prompt)] += by
    matrix = ScoreMatrix("mean", values, matrix.variants, matrix.prompt_ids)
    ScoreTable(table.prompts, table.variants, {"mean": matrix}).save(target)


def test_the_same_scores_come_again(bench):
    assert bench("out=before").code == 0
    more = ("keep_images=true", "contact_sheet=true")
    ran = bench("out=now", "compare=before", "tolerance=0", "limit=4", *more)
    assert ran.code == 0, ran.err
    assert "sheet:    now/contact-sheet.png" in ran.out
    with Image.open("now/contact-sheet.png") as image:
        assert image.format == "PNG"
    assert "compared with before\nin both     variants: 3, prompts: 4\n" in ran.out
    assert "here alone  variants: 0, prompts: 0\nthere alone variants: 0, prompts: 1\n" in ran.out
    assert ["mean", "11", "0", "0", "1.000"] in [line.split() for line in ran.out.splitlines()]
    assert "They agree, within 0." in ran.out


def test_other_scores_are_told_and_the_exit_status_says_so(bench, tmp_path):
    bench("out=now")
    _changed("now", "before", "b", "p2", by=-0.5)
    _changed("before", "before", "a", "p1", by=0.25)
    ran = bench("out=now", "compare=before", "tolerance=0.3")
    assert ran.code == 1
    line = ran.one_line("mean of variant 'b' on prompt 'p2' is ", ", in before ")
    assert "they differ by 0.5, tolerance 0.3 (1 of 14 scores of mean are beyond it)" in line
    assert "0.5" in ran.out
    assert "agree" not in ran.out
    assert "largest difference" in (tmp_path / "now/run.log").read_text()
    assert bench("out=now", "compare=before", "tolerance={mean:0.6}").code == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["compare=nowhere"], "nowhere"),
        (["compare=before", "tolerance=much"], "tolerance=much: expected a number from 0"),
        (["compare=before", "tolerance={CLIP:1}"], "tolerance has none for mean"),
        (["compare=other"], "no metric is in both tables"),
        (["compare=texts"], "'p0' is another text in prompt set 'things' than in 'things'"),
        (["contact_sheet=true"], "contact_sheet=true draws images that are kept: add keep_images"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_done(bench, tmp_path, words, line):
    _table("mean").save(tmp_path / "before")
    _table("another").save(tmp_path / "other")
    _table("mean", text="no thing").save(tmp_path / "texts")
    ran = bench("out=fresh", *words)
    assert line in ran.one_line()
    assert ran.out == ""
    assert not (tmp_path / "fresh").exists()


def test_a_reference_of_ids_alone_is_of_the_prompt_file(bench, tmp_path):
    rows = "\n".join(["prompt_id,a", *(f"p{i},0" for i in range(5))])
    (tmp_path / "mean.csv").write_text(rows)
    bench("compare=mean.csv", "limit=2").one_line("of variant 'a' on prompt 'p", "in mean.csv 0:")
    (tmp_path / "mean.csv").write_text(rows.replace("p4", "q4"))
    bench("compare=mean.csv", "limit=2").one_line("1 of 5 ids are not in prompt set")


def test_an_experiment_is_of_one_verb(bench, run, tmp_path):
    for verb in ("search", "doctor", "generate", "show"):
        bench(verb=verb).one_line(f"experiment=mine is for flasheval run, not for flasheval {verb}")
    run("run", "experiment=training-loop").one_line("is for flasheval search, not for")
    run("search", "-m", "experiment=training-loop,mine", "--config-dir", "conf").one_line(
        "experiment=mine is for flasheval run"
    )
    text = "# @package _global_\n# one that does not say\nsize: 3\n"
    (tmp_path / "conf/experiment/mine.yaml").write_text(text)
    assert bench("--cfg", "job", verb="search").code == 0
    assert "training-loop" in verb_help("search")
    assert "training-loop" not in verb_help("run")
    assert np.all(["one that does not say" not in verb_help(verb) for verb in ("run", "search")])
