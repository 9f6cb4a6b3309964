"""id=, text=, tags= and by= through the command line: prompts with columns of odd names."""

import csv
import json

import numpy as np
import pytest

from flasheval.cli.verbs import VERBS
from flasheval.prompts import load_prompts
from flasheval.subset import Subset

KEYS = ("id=uid", "text=wording")


@pytest.fixture
def files(run, tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        {"uid": f"g{i}", "wording": f"{i} cats", "kind": "xyz"[i % 3], "skills": ["a", "bc"[i % 2]]}
        for i in range(60)
    ]
    (tmp_path / "g.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with (tmp_path / "s.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["prompt_id", *(f"m{j}" for j in range(9))])
        writer.writerows([row["uid"], *rng.normal(size=9).round(3)] for row in rows)
    return run


def test_every_verb_that_reads_prompts_has_the_keys():
    for name, verb in VERBS.items():
        for config in verb.config_types().values():
            keys = set(config.__dataclass_fields__)
            assert not ("prompts" in keys and {"id", "text", "tags"} - keys), name


def test_a_search_keeps_tags_that_later_verbs_read(files, tmp_path):
    words = ("scores=s.csv", "prompts=g.jsonl", *KEYS, "tags=[kind]", "size=8", "method=pooled")
    ran = files("search", *words, "splits=null", "calibrate=false", "draws=20", "out=f")
    assert ran.code == 0, ran.err
    subset = Subset.load(tmp_path / "f" / "subset.json")
    assert subset.texts[0].endswith(" cats")
    assert set(subset.prompts[0].tags) == {"kind"}
    assert subset.record.tag_counts == {"kind": {"x": 20, "y": 20, "z": 20}}
    shown = files("show", "f", "by=kind").out
    assert "whole set" in shown
    assert "a" in subset.with_tags(
        load_prompts("g.jsonl", id_key="uid", text_key="wording")
    ).by_tag("skills")
    assert "skills" in files("show", "f", "prompts=g.jsonl", *KEYS, "by=skills").out
    page = files("report", "f", "by=kind")
    assert page.code == 0, page.err
    html = (tmp_path / "f" / "report.html").read_text()
    assert "Tags: the subset beside the whole" in html
    assert "Rankings by the prompts of each kind" in html


def test_scores_and_prompts_are_shown_by_tag(files):
    ran = files("show", "s.csv", "prompts=g.jsonl", *KEYS, "by=skills")
    assert ran.code == 0, ran.err
    assert "tau with" in ran.out
    ranked = files("rank", "s.csv", "prompts=g.jsonl", *KEYS, "by=kind", "draws=200")
    assert ranked.code == 0, ranked.err
    assert "tau with" in ranked.out
    assert files("show", "prompts=g.jsonl", *KEYS, "tags=[kind]").out.count("skills") == 0
    assert files("show", "prompts=g.jsonl", *KEYS, "by=skills").out.split()[-6:-3] == [
        *("skills", "b", "30")
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "id=uid"), "id=uid names a column of prompts=FILE"),
        (("show", "prompts=g.jsonl", "id=uidd", "text=wording"), "no column 'uidd' for the ids"),
        (("show", "prompts=g.jsonl", "text=nope"), "no column 'nope' for the texts"),
        (("show", "prompts=g.jsonl", *KEYS, "tags=[mood]"), "tags=mood"),
        (("show", "prompts=g.jsonl", *KEYS, "tags={a:1}"), "expected the name of a column"),
        (("show", "s.csv", "by=kind"), "by=kind"),
        (("show", "prompts=g.jsonl", *KEYS, "by=mood"), "by=mood"),
        (("rank", "s.csv", "prompts=g.jsonl", "tags=3"), "tags=3"),
    ],
)
def test_a_mistake_is_one_line(files, words, said):
    ran = files(*words)
    assert ran.code in (1, 2)
    assert said in ran.err
    assert ran.err.count("\n") == 1
