"""Small files of every layout, made up by others: each with how it should read and its means."""

import json
from pathlib import Path
from typing import Any

import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError
from flasheval.scores.importers import import_scores, recognised

CASES = Path(__file__).resolve().parents[5] / "shared" / "cases"
MINE = {
    "s01_geneval_results": "GenEval results: 6 models, 8 prompts, 4 images a prompt",
    "s02_t2icompbench": "T2I-CompBench results: 6 models, 12 prompts",
    "s03_tiif_tree": "TIIF-Bench results: 4 models, 8 prompts",
    "s04_heim": "HEIM results: 6 models, 8 prompts, 2 metrics",
    "s05_genai_bench": "GenAI-Bench ratings: 6 models, 10 prompts, 3 ratings a prompt",
    "s07_tifa": "TIFA scores: 6 models, 8 prompts, 3 metrics",
    "s08_imagenhub": "ImagenHub ratings: 6 models, 10 prompts, 2 metrics, 3 raters a prompt",
    "s09_vbench": "VBench results: 6 models, 6 prompts, 2 metrics, 3 videos a prompt",
    "s10_evalscope_reviews": "evalscope reviews: 6 models, 8 prompts",
    "s12_every_eval_ever": "Every Eval Ever results: 6 models, 7 prompts",
    "s13_lm_eval_samples": "lm-eval samples: 6 models, 8 prompts",
    "s34_wise_results": "WISE scores: 6 models, 9 prompts, 3 metrics",
    "s35_unigenbench_results": "UniGenBench results: 6 models, 5 prompts, 4 images a prompt",
}
WITHOUT_TEXTS = ("s02", "s03", "s04", "s08", "s34")


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, Any]]:
    if not (CASES / "expected.json").is_file():
        pytest.skip("the cases are absent: ../shared/cases beside the repository root")
    entries = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))
    return {entry["case"]: entry for entry in entries}


@pytest.mark.parametrize("name", MINE)
def test_a_case_reads_as_it_should(name: str, expected: dict[str, dict[str, Any]]) -> None:
    case = expected[name]
    source = CASES / case["load"]
    table = load_scores(source)
    assert (len(table), table.n_prompts) == (case["n_variants"], case["n_prompts"])
    assert (table.prompts.texts is None) == name.startswith(WITHOUT_TEXTS)
    wanted = case["means"]
    if "*" in wanted:
        wanted = {table.metrics[0]: wanted["*"]}
    assert set(table.metrics) == set(wanted)
    for metric, means in wanted.items():
        found = dict(zip(table.variant_names, table[metric].full_means.tolist(), strict=True))
        assert found == pytest.approx(means, rel=1e-5)
    several = " images a prompt" in MINE[name] or name[:3] in ("s05", "s08", "s09")
    assert all((matrix.images is not None) == several for matrix in table.matrices.values())
    layout = recognised(source)
    assert layout is not None
    assert import_scores(layout, source).how == f"read as {MINE[name]}"


def test_a_folder_of_means_is_refused(expected: dict[str, dict[str, Any]]) -> None:
    case = expected["s11_evalscope_report"]
    with pytest.raises(DataError, match="means only, no score a prompt; evalscope's reviews/"):
        load_scores(CASES / case["load"])
