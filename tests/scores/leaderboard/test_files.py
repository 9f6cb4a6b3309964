"""The files of a leaderboard, read back."""

import csv
import json

import numpy as np
from PIL import Image

import flasheval
from flasheval.scores import ScoreTable


def _board(n_prompts=50, **settings):
    scores = np.random.default_rng(0).normal(size=(3, n_prompts)) + np.array([[0], [2], [2]])
    table = ScoreTable.from_arrays(scores, variants=["a,b", 'c"d', "é"], prompts=range(n_prompts))
    kinds = {"kind": tuple("cd"[i % 2] for i in range(n_prompts))}
    prompts = flasheval.PromptSet("pets", table.prompts.ids, extras=kinds)
    return flasheval.rank(ScoreTable(prompts, table.variants, table.matrices), **settings)


def test_every_file_says_the_same(tmp_path):
    board = _board(by="kind")
    one = board["score"]
    folder = board.save(tmp_path / "board")
    assert {path.name for path in folder.iterdir()} == {
        *("rank.md", "rank.json", "rank.csv", "rank.png")
    }
    with open(folder / "rank.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    whole = [row for row in rows if not row["kind"]]
    assert [row["variant"] for row in whole] == list(one.variants)
    assert [float(row["mean"]) for row in whole] == one.means.tolist()
    assert [int(row["worst_rank"]) for row in whole] == one.worst.tolist()
    assert [row["groups"] for row in whole] == ["1", "1", "2"]
    assert {row["kind"] for row in rows} == {"", "c", "d"}
    assert len(rows) == 9
    data = json.loads((folder / "rank.json").read_text("utf-8"))
    (found,) = data["standings"]
    assert [row["low"] for row in found["variants"]] == one.low.tolist()
    assert found["groups"] == [list(group) for group in one.groups]
    assert found["near_ties"] == one.near_ties
    assert list(data["parts"]) == ["c", "d"]
    text = (folder / "rank.md").read_text("utf-8")
    assert text.startswith(f"# Leaderboard\n\n**{board.view().headline}**")
    assert "](rank.png)" in text
    assert "### score" in text
    with Image.open(folder / "rank.png") as image:
        assert image.width == 1600


def test_what_is_unknown_is_empty_or_null(tmp_path):
    board = _board(n_prompts=1)
    assert board.to_csv().splitlines()[1].count(",,") == 1  # neither low nor high
    folder = board.save(tmp_path)
    data = json.loads((folder / "rank.json").read_text("utf-8"))
    assert data["standings"][0]["variants"][0]["low"] is None
    assert data["standings"][0]["critical"] is None
