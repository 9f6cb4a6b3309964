"""Answers of judges read from a run's folder, and what is told where there are none."""

import pytest

from flasheval.base.errors import DataError
from flasheval.runs.answers import read_answers
from flasheval.runs.run import run


def test_a_metric_without_answers_or_without_scores_is_told(toys, prompts, tmp_path):
    judges = [toys.scorer("brightness")]
    run(toys.population("draw"), prompts, judges, out=tmp_path, progress=False, device="cpu")
    with pytest.raises(DataError, match="brightness keeps no answers; judges do, such as"):
        read_answers(tmp_path, "brightness")
    with pytest.raises(DataError, match=r"no scores of 'britness'; .* did you mean 'brightness'"):
        read_answers(tmp_path, "britness")
