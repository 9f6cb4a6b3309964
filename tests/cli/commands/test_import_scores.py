import csv
import json
from pathlib import Path

import numpy as np
import pytest

from flasheval.scores import ScoreTable

BASES = ("stablediffusion1.4", "stablediffusion1.5", "dreamlike-photoreal")


def write_tree(root: Path, n_prompts: int = 40) -> Path:
    """A small tree of the official form: 3 models x 4 schedules, two faults in it."""
    rng = np.random.default_rng(0)
    captions = [{"id": i, "caption": f"a thing numbered {i}"} for i in range(1, n_prompts + 1)]
    (root / "data").mkdir(parents=True)
    lines = "\n".join(json.dumps({"id": c["id"], "prompt": c["caption"]}) for c in captions)
    (root / "data/made-up.json").write_text(lines)
    for metric in ("CLIP", "HPS"):
        for base in BASES:
            folder = root / "Image_score/made-up" / metric / base
            folder.mkdir(parents=True)
            for schedule in ("DDIM10", "DDIM20", "PNDM20", "DPM20"):
                scores = {
                    str(c["id"]): float(v)
                    for c, v in zip(captions, rng.normal(size=40), strict=True)
                }
                name = f"{metric}-{schedule}step-fp-score.json"
                (folder / name).write_text(json.dumps(scores))
    (root / "Image_score/made-up/HPS" / BASES[0] / "HPS-DDIM10step-fp-score.json").write_text("{}")
    (root / "Image_score/made-up/CLIP" / BASES[1] / "notes.json").write_text("{}")
    return root


def test_the_official_tree_is_imported_with_its_faults_and_searched(run, tmp_path):
    write_tree(tmp_path / "official")
    ran = run("import", "flasheval-official", "root=official", "out=mine")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    with (tmp_path / "mine/faults.csv").open(newline="") as file:
        faults = list(csv.DictReader(file))
    assert lines[-1] == f"{len(faults)} faults, listed in faults.csv there"
    empty = next(fault for fault in faults if fault["problem"] == "empty")
    assert empty["file"] == f"HPS/{BASES[0]}/HPS-DDIM10step-fp-score.json"
    assert empty["metric"] == "HPS"
    for fault in faults:
        if fault["problem"] != "absent":
            assert fault["file"] in ran.out
            assert fault["problem"] in ran.out
    assert "use them: flasheval search scores=mine" in lines
    table = ScoreTable.load(tmp_path / "mine")
    assert table.metrics == ("HPS", "CLIP")
    assert run("search", "scores=mine", "metric=CLIP").code == 0


def test_settings_reach_the_importer(run, tmp_path):
    write_tree(tmp_path / "official")
    words = ("importer=flasheval-official", "root=official/Image_score", "metrics=[CLIP]")
    ran = run("import", *words, "prompts=official/data/made-up.json")
    assert ran.code == 0, ran.err
    assert ScoreTable.load(tmp_path / "flasheval-runs/scores/Image_score").metrics == ("CLIP",)


def test_tables_are_imported(run, tmp_path, scores):
    wide = ["prompt_id,a,b", "1,0.1,0.2", "2,0.3,0.4"]
    (tmp_path / "fid.csv").write_text("\n".join(wide))
    ran = run("import", "wide", "source=fid.csv", "higher_is_better=false", "out=wide")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "no faults"
    assert not ScoreTable.load(tmp_path / "wide")["fid"].higher_is_better
    long = ["model,prompt_id,score,steps", "a,1,0.1,10", "a,2,0.3,10", "b,1,0.2,20", "b,2,0.4,20"]
    (tmp_path / "long.csv").write_text("\n".join(long))
    words = ("source=long.csv", "metric=clip", "factors=[steps]", "out=long")
    assert run("import", "long", *words).code == 0
    assert ScoreTable.load(tmp_path / "long").factor("steps") == (10, 20)
    values = {"scores": np.eye(2), "variants": ["a", "b"], "prompt_ids": [1, 2]}
    np.savez(tmp_path / "clip.npz", **values)
    assert run("import", "npz", "source=clip.npz", "out=npz").code == 0
    assert ScoreTable.load(tmp_path / "npz").metrics == ("clip",)


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        ([], 2, ["say which importer", "flasheval-official"]),
        (["wid", "source=x"], 2, ["importer=wid", "did you mean 'wide'?"]),
        (["wide", "sorce=x"], 2, ["sorce", "did you mean 'source'?"]),
        (["wide", "root=x"], 2, ["root is not a key", "did you mean"]),
        (["wide"], 2, ["source is missing", "flasheval import wide source="]),
        (["flasheval-official"], 2, ["root is missing"]),
        (["flasheval-official", "root=nowhere"], 1, ["nowhere is not a folder"]),
        (["flasheval-official", "root=scores"], 1, ["scores holds no"]),
        (["long", "source=nowhere.csv"], 1, ["nowhere.csv does not exist"]),
        (["long", "source=f.csv", "factors=steps"], 2, ["factors=steps", "a list"]),
        (["wide", "source=f.csv", "out=f.csv"], 2, ["out=f.csv is the file that source reads"]),
        (["wide", "source=f.csv", "out=f.csv/x"], 1, ["f.csv/x"]),
        (["wide", "source=f.csv", "out=/proc/nowhere"], 1, ["/proc/nowhere"]),
        (["wide", "source=f.csv", "prompts=scores"], 1, ["1 of 1 ids are not in prompt set"]),
    ],
)
def test_a_mistake_is_one_line(run, tmp_path, scores, words, code, parts):
    (tmp_path / "f.csv").write_text("prompt_id,a\n1,0.1\n")
    ran = run("import", *words)
    ran.one_line(*parts)
    assert ran.code == code
