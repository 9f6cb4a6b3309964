"""The verb end to end: as in Python, with tags of a prompt file, its files, and refusals."""

import json

import numpy as np
import pytest

import flasheval
from flasheval.base.drawing.terminal import as_text
from flasheval.evaluation import MetricScores


@pytest.fixture
def scores(tmp_path):
    """A wide table of four models on 60 prompts, and the prompts with a category, in files."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 4)) + np.array([0, 0, 3, 6])
    lines = ["id,a,[b],c,d", *(f"p{i}," + ",".join(map(str, row)) for i, row in enumerate(values))]
    (tmp_path / "m.csv").write_text("\n".join(lines))
    prompts = [
        {"id": f"p{i}", "text": f"pet {i}", "category": ("cat", "dog")[i % 2]} for i in range(60)
    ]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, prompts)))
    return tmp_path


def test_as_in_python(run, scores):
    ran = run("rank", "m.csv", "level=0.9", "draws=500")
    assert (ran.code, ran.err) == (0, "")
    board = flasheval.rank(str(scores / "m.csv"), level=0.9, draws=500)
    printed = "".join(f"{line.rstrip()}\n" for line in ran.out.splitlines())
    assert printed.endswith(as_text(board.view(), width=80))
    assert ": d leads, told apart from all others." in ran.out
    assert "[b]" in ran.out


def test_near_ties_are_those_of_show(run, scores):
    shown = run("show", "m.csv").out
    ranked = " ".join(run("rank", "m.csv").out.split())
    (share,) = (word for word in shown.split() if word.endswith("%"))
    assert f"within 2 errors: 1 ({share})" in ranked


def test_by_a_column_of_the_prompts_and_files(run, scores):
    ran = run("rank", "scores=m.csv", "prompts=p.jsonl", "by=category", "out=board")
    assert (ran.code, ran.err) == (0, "")
    assert "cat" in ran.out
    assert "dog" in ran.out
    assert ran.out.endswith("files: board/\n")
    data = json.loads((scores / "board" / "rank.json").read_text("utf-8"))
    assert list(data["parts"]) == ["cat", "dog"]
    assert sorted(path.name for path in (scores / "board").glob("[!.]*")) == [
        *("rank.csv", "rank.json", "rank.md", "rank.png")
    ]


def test_without_scores_it_ranks_the_miniature(run):
    ran = run("rank", "metric=CLIP", "draws=200")
    assert ran.code == 0
    assert ran.out.startswith("miniature: small models")


@pytest.mark.parametrize(
    ("word", "said", "code"),
    [
        ("by=kind", "by=kind: the prompts of", 2),
        ("level=95", "level=95: expected a number between 0 and 1", 2),
        ("incomplete=keep", "incomplete=keep: expected", 2),
        ("metric=foo", "no scores for metric 'foo'", 2),
        ("scores=none.csv", "none.csv", 1),
    ],
)
def test_a_mistake_is_one_line(run, scores, word, said, code):
    ran = run("rank", *([] if word.startswith("scores") else ["scores=m.csv"]), word)
    assert ran.code == code
    assert said in ran.err
    assert len(ran.err.strip().splitlines()) == 1


@pytest.fixture
def reports(tmp_path):
    """Reports of two checkpoints on a shipped subset, in a folder."""
    subset = flasheval.load_subset("miniature-clip-50")
    table = flasheval.load_scores("miniature-tuning")
    rows = table.prompts.index_of(subset.ids)
    for name in ("step-0000", "step-2000"):
        values = table["CLIP"].values[table.variant_names.index(name), rows]
        scores = {"CLIP": MetricScores("1", True, tuple(map(float, values)))}
        flasheval.Report(subset, 0, scores, name).save(tmp_path / "reports" / f"{name}.json")
    return tmp_path


def test_reports_are_ranked_beside_the_known_variants(run, reports):
    files = ("reports/step-0000.json", "reports/step-2000.json")
    ran = run("rank", *files, "out=board")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("CLIP: step-2000 is the first of 2 models evaluated")
    assert "of 66" in " ".join(ran.out.split())
    assert max(map(len, ran.out.splitlines())) <= 80
    data = json.loads((reports / "board" / "rank.json").read_text("utf-8"))
    assert len(data["standings"][0]["models"]) == 66
    printed = ran.out.removesuffix("\nfiles: board/\n")
    for words in (("reports",), ("reports=[reports]",), (f"reports=[{','.join(files)}]",)):
        assert run("rank", *words).out == printed


def test_scores_and_reports_are_one_at_a_time(run, scores, reports):
    run("rank", "m.csv", "reports=[reports]").one_line("m.csv is no report", "one at a time")
    run("rank", "reports", "by=category").one_line("by= belongs to scores")
    run("rank", "reports=[m.csv]").one_line("m.csv")
    run("rank", "reports=[gone.json]").one_line("gone.json")
    (reports / "empty").mkdir()
    run("rank", "reports=[empty]").one_line("empty: no report in this folder")


def test_the_best_under_so_many_seconds(run, scores):
    (scores / "costs.csv").write_text("variant,seconds\na,0.1\n[b],0.2\nc,0.4\nz,1\n")
    words = ("m.csv", "seconds=costs.csv", "draws=500")
    ran = run("rank", *words, "max_seconds=0.3", "out=board")
    assert (ran.code, ran.err) == (0, "")
    assert "m, at most 0.3 s an image: " in ran.out
    said = " ".join(ran.out.split())
    assert "costs.csv: none for 1 of 4 variants (d); 1 is in no scores (z)" in said
    assert "max_seconds=0.3: left out 1 variants as slower, 1 without seconds" in said
    assert (scores / "board" / "rank-seconds.png").exists()
    data = json.loads((scores / "board" / "rank.json").read_text("utf-8"))
    assert data["max_seconds"] == 0.3
    rows = data["standings"][0]["variants"]
    assert {row["variant"]: row["seconds"] for row in rows} == {"a": 0.1, "[b]": 0.2}
    ran = run("rank", "m.csv", "seconds={a:0.1,c:0.4,d:2}", "draws=500")
    assert "frontier of m" in ran.out
    assert "A to C frontier" in ran.out


def test_seconds_that_cannot_be_used_are_one_line(run, scores):
    (scores / "costs.csv").write_text("variant,seconds\na,0.1\n")
    run("rank", "m.csv", "max_seconds=1").one_line("know no seconds", "seconds=FILE")
    ran = run("rank", "m.csv", "seconds=costs.csv", "max_seconds=0.01")
    ran.one_line("no variant is that fast", "the fastest is a, 0.1")
    run("rank", "m.csv", "seconds=cost.csv").one_line("cost.csv")


def test_seconds_belong_to_scores(run, reports):
    run("rank", "reports", "max_seconds=1").one_line("max_seconds= belongs to scores")
