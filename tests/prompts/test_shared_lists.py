"""The shared cases of prompt lists read as they should."""

import json
import warnings
from pathlib import Path

import pytest

from flasheval.prompts import load_prompts

CASES = Path(__file__).parents[3] / "shared" / "cases"


def _cases():
    if not (CASES / "expected.json").is_file():
        return []
    found = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))
    return [one for one in found if one["case"].startswith("p")]


@pytest.mark.skipif(not _cases(), reason="the cases are absent: ../shared/cases")
@pytest.mark.parametrize("case", _cases(), ids=lambda case: case["load"].replace("/", "-"))
def test_a_case_reads_as_it_should(case):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        prompts = load_prompts(CASES / case["load"])
    assert len(prompts) == case["n"]
    if "ids" in case:
        assert list(prompts.ids) == [str(one) for one in case["ids"]]
    if "texts" in case:
        assert list(prompts.texts) == case["texts"]
    if "texts_set" in case:
        assert set(prompts.texts) == set(case["texts_set"])
