"""The verb end to end: as in Python, its files, votes of scores, and refusals."""

import json

import pytest

import flasheval
from flasheval.base.drawing.terminal import as_text


@pytest.fixture
def study(tmp_path):
    """A file of sixty votes."""
    rows = [
        {
            "model_a": "sd15" if i % 2 else "[xl]",
            "model_b": "flux" if i % 3 else "sd21",
            "prompt_id": f"p{i % 20}",
            "winner": "tie" if i % 7 == 0 else "ab"[(i * i) % 5 % 2],
            "rater": f"r{i % 9}",
        }
        for i in range(60)
    ]
    (tmp_path / "study.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def test_as_in_python(run, study):
    ran = run("votes", "study.jsonl", "draws=100", "prior=1")
    assert (ran.code, ran.err) == (0, "")
    board = flasheval.load_votes(study / "study.jsonl").rank(draws=100, prior=1)
    printed = "".join(f"{line.rstrip()}\n" for line in ran.out.splitlines())
    assert printed == as_text(board.view(), width=80)
    assert "[xl]" in ran.out
    for words in (("rank", "study.jsonl"), ("votes=[study.jsonl]",)):
        assert run("votes", *words, "draws=100", "prior=1").out == ran.out


def test_files_are_kept_and_searched(run, study):
    ran = run("votes", "study.jsonl", "drop=[sd21]", "draws=100", "prior=1", "out=kept")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("use them: flasheval search scores=kept/wins\n")
    names = {path.name for path in (study / "kept").glob("[!.]*")}
    assert names == {"votes.md", "votes.json", "votes.csv", "votes.png", "votes.parquet", "wins"}
    votes = flasheval.load_votes(study / "kept" / "votes.parquet")
    assert votes.variants == ("[xl]", "sd15", "flux")
    assert flasheval.load_scores(study / "kept" / "wins").metrics == ("wins",)
    assert run("votes", "study.jsonl", "out=kept").code == 2  # other settings
    again = run("votes", "kept", "draws=100", "prior=1").out
    assert again.splitlines()[:3] == ran.out.splitlines()[:3]


def test_votes_of_scores(run, scores):
    ran = run("votes", "scores=scores", "metric=clip", "tie_within=0.1", "draws=100")
    assert (ran.code, ran.err) == (0, "")
    assert "by 1 rater" in ran.out
    assert "all votes are of clip" in " ".join(ran.out.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no votes are named: flasheval votes FILE"),
        (("gone.csv",), "gone.csv does not exist"),
        (("study.jsonl", "scores=miniature"), "two sources"),
        (("study.jsonl", "metric=clip"), "metric= is of votes made from scores"),
        (("study.jsonl", "level=95"), "level=95: expected a number between 0 and 1"),
        (("study.jsonl", "ties=elo"), "ties=elo: expected davidson or rao_kupper"),
        (("study.jsonl", "columns={winer:x}"), "columns has no key 'winer'"),
        (("study.jsonl", "drop=[x]"), "drop=x: there is no such variant"),
        (("scores=miniature", "columns={winner:x}"), "columns= is of files of votes"),
    ],
)
def test_a_mistake_is_one_line(run, study, words, said):
    run("votes", *words).one_line(said)
