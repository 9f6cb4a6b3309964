"""Every judge through a run and an evaluation, on tiny models of four families."""

import json

import numpy as np
import pytest

from flasheval.evaluation.evaluate import evaluate
from flasheval.evaluation.loaded_scorers import release_scorers
from flasheval.prompts import PromptSet
from flasheval.runs.answers import answers_by_tag, read_answers
from flasheval.runs.run import run
from flasheval.runs.status.run_status import read_status
from flasheval.subset import Method, MetricInfo, Subset

PROMPTS = PromptSet(
    "signs", ("1", "2", "3"), ('a cat with "yes"', "a dog", 'the score "no"'), tag_keys=()
)


def paint(prompts, seeds):
    return [
        np.random.default_rng(seed).integers(0, 256, (32, 40, 3), dtype=np.uint8) for seed in seeds
    ]


def judges(folder, questions):
    common = {"checkpoint": str(folder), "batch": 2}
    return [
        {"name": "vqa", "least_mass": 0.0, **common},
        {"name": "questions", "questions": questions, "least_mass": 0.0, **common},
        {"name": "read-text", "most_tokens": 4, **common},
        {"name": "rubric", "most_tokens": 4, **common},
    ]


@pytest.fixture
def questions(tmp_path):
    file = tmp_path / "questions.jsonl"
    lines = [
        {"prompt": text, "questions": ["Is it?", "Was it?"], "tag": ["now", "then"]}
        for text in PROMPTS.texts
    ]
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return str(file)


@pytest.mark.parametrize("kind", ["qwen2_5_vl", "qwen3_vl", "smolvlm", "paligemma"])
def test_every_judge_scores_a_run_and_an_evaluation(kind, judge_folder, questions, tmp_path):
    scorers = judges(judge_folder(kind), questions)
    population = {
        "settings": {"generator": "function"},
        "variants": [{"name": "noise", "function": f"{__file__}:paint"}],
    }
    out = tmp_path / "run"
    result = run(population, PROMPTS, scorers, out=out, progress=False, device="cpu", chunk=2)
    table = result.scores
    assert table.metrics == ("VQAScore", "Questions", "TextRead", "Rubric")
    assert np.isfinite(table["VQAScore"].values).all()
    assert np.isfinite(table["Questions"].values).all()
    read = table["TextRead"].values[0]
    assert np.isfinite(read[[0, 2]]).all()
    assert np.isnan(read[1])
    reason = "TextRead gives no score: the prompt asks for no text in quotes"
    assert reason in result.faults["noise", "2"]
    assert reason in " ".join(read_status(out).faults)
    answers = read_answers(out, "Questions")
    assert len(answers) == 6
    assert [(one.question, one.tag) for one in answers[:2]] == [("1", "now"), ("2", "then")]
    now, then = answers_by_tag(answers)
    both = table["Questions"].values[0].mean()
    assert (now.tag, now.questions, now.unanswered) == ("now", 3, 0)
    assert (now.mean + then.mean) / 2 == pytest.approx(both, abs=1e-5)
    assert {one.said for one in read_answers(out, "TextRead")} != {None}
    subset = Subset.choose(
        PROMPTS,
        range(3),
        name="all-signs",
        metrics=tuple(MetricInfo(one) for one in table.metrics),
        method=Method("random"),
        with_texts=True,
    )
    report = evaluate(paint, subset, scorers, device="cpu")
    np.testing.assert_allclose(
        report.metrics["VQAScore"].values, table["VQAScore"].values[0], atol=1e-5
    )
    assert report.metrics["VQAScore"].version == table["VQAScore"].scorer_version
    release_scorers()
