"""The reproduction finds again what is known of the official data, in its quick form."""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "scripts" / "evidence"
EVIDENCE = ROOT / "docs" / "evidence"


@pytest.fixture(scope="module")
def pages(shared_data, tmp_path_factory):
    """Both pages of a quick run, by name."""
    folder = tmp_path_factory.mktemp("reproduction")
    command = [sys.executable, SCRIPTS / "reproduce_flasheval.py", "--quick"]
    command += ["--data", shared_data, "--out", folder, "--units", folder / "units"]
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr
    assert list((folder / "units").glob("*.json"))
    return {page.name: page.read_text("utf-8") for page in folder.glob("*.md")}


@pytest.fixture
def reproduction(monkeypatch):
    """The script's modules, importable as it imports them."""
    monkeypatch.syspath_prepend(str(SCRIPTS))


def _rows(text, title, *, columns=None):
    """Cells of the table's rows under a heading that begins with `title`."""
    (part,) = re.findall(rf"^##+ {re.escape(title)}.*?(?=^##|\Z)", text, re.S | re.M)
    lines = [line for line in part.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]][:columns] for line in lines]


def _number(cell):
    return float(cell.replace("\N{MINUS SIGN}", "-").strip("*"))


@pytest.mark.slow
def test_random_curves_are_the_records(pages):
    rows = _rows(pages["reproduction.md"], "1. ")
    assert [row[0] for row in rows] == ["COCO CLIP", "", "", "DiffusionDB CLIP", "", ""]
    gaps = [_number(figure) for row in rows[2::3] for cell in row[2:] for figure in cell.split("/")]
    assert len(gaps) == 2 * 8 * 2
    assert max(map(abs, gaps)) <= 0.03
    assert any(gaps)


@pytest.mark.slow
def test_harder_splits_are_those_of_the_record(pages):
    rows = _rows(pages["reproduction.md"], "3. ")
    assert [row[0] for row in rows[::3]] == [
        "a base model",
        "a scheduler and its steps",
        "quantised",
    ]
    assert all(abs(_number(row[2]) - _number(row[3])) <= 0.04 for row in rows)


@pytest.mark.slow
def test_labels_are_found_swapped_and_the_wrong_ranking_fitted(pages):
    text = pages["released-subsets.md"]
    swapped = {"Aesthetic": "CLIP", "CLIP": "Aesthetic", "ImageReward": "ImageReward"}
    for prompt_set in ("COCO", "DiffusionDB"):
        rows = _rows(text, f"{prompt_set}: what each subset fits")
        assert len(rows) == 20
        for _, label, _, fits, *_ in rows:
            metric = swapped.get(label)
            expected = f"**{metric}** to **COCO {metric}**" if metric else "none (best: "
            assert fits.startswith(expected)


@pytest.mark.slow
def test_repeats_are_counted(pages):
    text = pages["released-subsets.md"]
    rows = [row for name in ("COCO", "DiffusionDB") for row in _rows(text, f"{name}: what")]
    assert sum("repeat" in row[2] for row in rows) == 21
    assert ["200", "HPS", "157 (43 repeats)"] in [row[:3] for row in rows]


@pytest.mark.slow
def test_large_diffusiondb_subsets_do_not_beat_random_ones(pages):
    rows = _rows(pages["released-subsets.md"], "The record's percentiles")
    assert [row[:2] for row in rows] == [
        ["ImageReward", "ImageReward"],
        ["HPS", "HPS"],
        ["Aesthetic", "CLIP"],
        ["CLIP", "Aesthetic"],
    ]
    assert all(_number(row[-1]) <= 10 for row in rows)


@pytest.mark.slow
def test_faults_of_the_files_are_found(pages):
    text = pages["reproduction.md"]
    assert "14 of 78 variants lack COCO scores" in text
    assert "4 files give scores, 4 hold another data set's, 3 are empty, 1 is missing" in text
    assert "421 ids of the two prompt sets collide" in text
    (clip,) = [line for line in text.splitlines() if "3,446 of 5,000" in line]
    assert "| 0.00049 | 104.1 |" in clip


@pytest.mark.slow
def test_the_published_page_says_the_same(pages):
    published = (EVIDENCE / "released-subsets.md").read_text("utf-8")
    for prompt_set in ("COCO", "DiffusionDB"):
        title = f"{prompt_set}: what each subset fits"
        fresh = _rows(pages["released-subsets.md"], title, columns=5)
        assert fresh == _rows(published, title, columns=5)


@pytest.mark.slow
def test_pages_hold_no_prompt_and_no_path(pages, shared_data):
    texts = set()
    with tarfile.open(shared_data / "flasheval-released-subsets.tar.xz") as archive:
        for member in archive:
            if member.name.endswith(".json"):
                lines = archive.extractfile(member).read().decode().splitlines()
                texts |= {json.loads(line)["caption"].strip() for line in lines}
    assert len(texts) > 1000
    for page in pages.values():
        assert str(shared_data) not in page
        assert not any(text in page for text in texts if len(text) > 10)


def test_pairing_is_that_of_each_pair(reproduction):
    from reproduction.pairs import pairing_of

    scores = np.random.default_rng(0).normal(size=(5, 40)) + np.arange(5)[:, None]
    scores += 3 * np.random.default_rng(1).normal(size=40)
    cuts, needed = [], []
    for i in range(5):
        for j in range(i):
            gap = scores[i] - scores[j]
            cuts.append((scores[i].var(ddof=1) + scores[j].var(ddof=1)) / gap.var(ddof=1))
            needed.append((1.96 * gap.std(ddof=1) / gap.mean()) ** 2)
    expected = (np.median(cuts), np.median(needed), np.quantile(needed, 0.9))
    assert pairing_of(scores) == pytest.approx(expected)


def test_a_tau_is_written_short(reproduction):
    from reproduction.study import judged, markdown, short

    minus = "\N{MINUS SIGN}"
    assert [short(0.8312), short(1.0), short(-0.02)] == [".831", "1.000", f"{minus}.020"]
    assert [short(0.02, sign=True), short(-0.001, 2, sign=True)] == ["+.020", ".00"]
    assert [judged(0.01, 0.02), judged(-0.03, 0.02)] == ["+.010", f"**{minus}.030**"]
    rule = markdown(("a", "b"), [["x", "1"], ["2", f"**{minus}.3**"]])[1]
    assert rule == "| --- | ---: |"
