"""The file in the package follows from the facts, which lie beside the repository."""

import json
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
script = runpy.run_path(str(ROOT / "scripts" / "release" / "known_prompt_lists.py"))

FACTS = {
    "name": "pets",
    "title": "Pets",
    "arxiv": None,
    "repository": "someone/pets",
    "commit": None,
    "licence": "CC0",
    "layout": {"notes": "left out"},
    "files": [{"path": "pets.csv", "bytes": 7}],
    "prompts": 2,
    "tags": {"kind (one a prompt)": {"fur": 2}, "sort (questions)": {"x": 9}},
    "prompt_set_hash": None,
    "images_per_prompt": "5 videos",
    "length": {"over_77_clip_tokens": 1},
}


def test_what_is_kept_of_the_facts(tmp_path, capsys):
    facts, out = tmp_path / "facts.json", tmp_path / "lists.json"
    facts.write_text(json.dumps([FACTS]))
    out.write_text("")
    assert script["main"]([str(facts), "--out", str(out), "--check"]) == 1
    assert script["main"]([str(facts), "--out", str(out)]) == 0
    assert script["main"]([str(facts), "--out", str(out), "--check"]) == 0
    assert "lists.json: same" in capsys.readouterr().out
    assert json.loads(out.read_text())["lists"] == [
        {
            "name": "pets",
            "title": "Pets",
            "prompts": 2,
            "tags": {"kind": {"fur": 2}},
            "over_77": 1,
            "licence": "CC0",
            "source": "someone/pets pets.csv",
        }
    ]


def test_the_shipped_file_follows_from_the_facts():
    facts = ROOT.parent / "shared" / "benchmarks.json"
    if not facts.is_file():
        pytest.skip("the facts are absent: ../shared/benchmarks.json beside the repository root")
    assert script["main"]([str(facts), "--check"]) == 0
