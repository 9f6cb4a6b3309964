import json

import pytest

from flasheval.subset import Subset

ROWS = [("p1", "a thing numbered p1"), ("p5", "a thing numbered p5"), ("p1", "a thing numbered p1")]


@pytest.fixture
def theirs(tmp_path, scores):
    lines = [json.dumps({"id": name, "caption": text}) for name, text in ROWS]
    (tmp_path / "theirs.jsonl").write_text("\n".join(lines))


def test_a_manifest_is_written_with_what_is_wrong(run, tmp_path, theirs):
    words = ("out=mine.json", "settings.metric=clip", "settings.scores=scores", "settings.name=x")
    ran = run("subsets", "import", "theirs.jsonl", *words)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "x: 2 prompts of made-up-0 (3 with repeats)"
    assert any("warning: 1 of its 3 draws repeat a prompt" in line for line in lines)
    assert any("fits none of the scores' rankings" in line for line in lines)
    assert lines[-2:] == ["manifest: mine.json", "use it:   subset=mine.json"]
    subset = Subset.load(tmp_path / "mine.json")
    assert [one.multiplicity for one in subset.prompts] == [2, 1]
    assert [str(one) for one in subset.metrics] == ["clip (higher is better)"]
    assert subset.prompts[0].text is None


def test_texts_and_prompts_can_be_asked_for(run, tmp_path, theirs):
    words = ("out=mine.json", "settings.metric=clip", "settings.texts=true", "prompts=p.csv")
    (tmp_path / "p.csv").write_text("id,text\np1,a thing numbered p1\np5,another\n")
    ran = run("subsets", "import", "theirs.jsonl", *words)
    assert ran.code == 0, ran.err
    assert 'warning: 1 of its prompts have another text in prompt set "p" (p5)' in ran.out
    assert Subset.load(tmp_path / "mine.json").texts[0] == "a thing numbered p1"


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (["out=a.json"], 2, ["import takes one file, not none: flasheval subsets import FILE"]),
        (["theirs.jsonl"], 2, ["out=None: expected a file in .json"]),
        (["theirs.jsonl", "out=a.txt"], 2, ["out=a.txt: expected a file in .json"]),
        (["a.json", "out=a.json"], 2, ["out=a.json is the source itself"]),
        (["nowhere.jsonl", "out=a.json", "settings.metric=x"], 1, ["nowhere.jsonl does not exist"]),
        (["theirs.jsonl", "out=a.json"], 2, ["which metric it serves"]),
        (["all.tar.xz", "out=a.json"], 1, ["all.tar.xz is an archive"]),
        (
            ["theirs.jsonl", "out=a.json", "settings.metrc=x"],
            2,
            ["'metrc'", "did you mean 'metric'?"],
        ),
        (["theirs.jsonl", "out=a.json", "settings.texts=5"], 2, ["texts is 5; expected true or"]),
        (["theirs.jsonl", "out=a.json", "settings.scores=no"], 1, ["no"]),
    ],
)
def test_a_mistake_is_one_line(run, theirs, words, code, parts):
    ran = run("subsets", "import", *words)
    ran.one_line(*parts)
    assert ran.code == code
