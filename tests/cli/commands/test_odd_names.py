"""Every verb on a table whose names look like markup, escapes, formulas and HTML."""

import csv
import io
import json
import re

import numpy as np
import pytest

from flasheval import Subset
from flasheval.scores import load_scores

ODD = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
METRICS = ("[/oops]\x1b[31m", "[b]price$x_{$")
VARIANTS = ("<b>a</b>", "=1+1", "[bold]", "@\u202ex", "-y", "_z", "price$x_{$", "h|\x9b31m")
PROMPTS = tuple(
    f"{text} {i}" for i in range(2) for text in ("[/x]", "<i>\x1b[1m", "=2", "\u202eab")
)
FUNCTIONS = ("draw",) * 7 + ("boom",)
CODE = """
import numpy as np

def draw(prompts, seeds):
    return [np.random.default_rng(seed).random((8, 8, 3)) for seed in seeds]

other = draw

def boom(prompts, seeds):
    raise RuntimeError("[/oops] \\x1b[31m")

def mean(images, prompts):
    return [float(np.asarray(image).mean()) / 255 for image in images]
"""


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    with (tmp_path / "odd $x_{$[b].csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["variant", "prompt_id", "metric", "score", "text"])
        for i, variant in enumerate(VARIANTS):
            for prompt in PROMPTS:
                for metric in METRICS:
                    score = i / 10 + rng.random() / 5
                    writer.writerow([variant, prompt, metric, f"{score:.4f}", f"text {prompt}"])
    return tmp_path


def test_every_verb_shows_odd_names_as_they_are(run, folder):
    source = "odd $x_{$[b].csv"

    def done(*words, says=()):
        ran = run(*words)
        assert ran.code == 0, ran.err
        assert not ODD.search(ran.out + ran.err)
        for text in says:
            assert text in ran.out
        return ran

    given = f"scores='{source}'"
    seen = ("[b]price$x_{$", r"[/oops]\x1b[31m")
    done("show", source, says=(*seen, "<b>a</b>", r"h|\x9b31m"))
    done("rank", given, "out=board", says=seen)
    done("import", "long", f"source='{source}'", "out=table", says=seen)
    table = load_scores("table")
    assert set(table.metrics) == set(METRICS)
    assert set(table.variant_names) == set(VARIANTS)
    assert set(table.prompts.ids) == set(PROMPTS)
    done("show", "table", says=seen)
    done(
        "search",
        "scores=table",
        "metric='[b]price$x_{$'",
        "out=found",
        "size=4",
        "name=found",
        says=seen[:1],
    )
    done("show", "found", says=seen[:1])
    done("report", "found", "scores=table")
    done(
        "validate",
        "scores=table",
        "size=4",
        "methods=[random,balanced]",
        "splits=random:2",
        "draws=5",
        "out=checked",
    )
    done("subsets", "show", "found/subset.json", says=seen[:1])
    done("subsets", "verify", "found/subset.json")
    for kind in ("csv", "jsonl"):
        done(
            "subsets",
            "export",
            "found/subset.json",
            "prompts=table/prompts.parquet",
            f"format={kind}",
            f"out=prompts.{kind}",
        )
    done("publish", "found/subset.json", "out=upload", says=("found",))
    assert set(Subset.load("found/subset.json").searched_variants) == set(VARIANTS)

    (folder / "mine.py").write_text(CODE)
    scorers = f"scorers=[{{name:function,function:'mine.py:mean',metric_name:'{METRICS[1]}'}}]"
    words = ("subset=found/subset.json", "prompts=table/prompts.parquet", scorers, "device=cpu")
    for draw in ("draw", "other"):
        draws = ("generator=function", f"function=mine.py:{draw}", f"out={draw}.json")
        done("evaluate", *words, *draws, says=seen[:1])
    done("compare", "draw.json", "other.json", says=seen[:1])
    variants = [
        {"name": name, "function": f"mine.py:{f}"}
        for name, f in zip(VARIANTS, FUNCTIONS, strict=True)
    ]
    (folder / "population.yaml").write_text(
        json.dumps({"settings": {"generator": "function"}, "variants": variants})
    )
    words = ("population=population.yaml", "prompts=table/prompts.parquet", "out=r", "device=cpu")
    assert run("run", *words, scorers).code == 1
    done("status", "r", says=("=1+1", r"h|\x9b31m"))

    for path in folder.rglob("*"):
        if path.suffix in (".md", ".html", ".log", ".csv") and path.name != source:
            text = path.read_text("utf-8")
            if path.name != "prompts.csv":
                assert not ODD.search(text), path
            if path.suffix in (".md", ".html"):
                assert not re.search("<b>|<i>", text), path
            elif path.name in ("rank.csv", "evidence.csv"):
                cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
                assert not {"=1+1", "-y"} & set(cells)
