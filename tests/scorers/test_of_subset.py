"""The scorers a subset offers where nobody names others."""

from dataclasses import replace

import pytest

from flasheval.base.errors import SettingError
from flasheval.evaluation.monitor import CheckpointMonitor
from flasheval.scorers.judges.vqa import VqaSettings
from flasheval.scorers.of_subset import asked_scorers, scorers_of
from flasheval.subset import MetricInfo
from flasheval.subset.library import find_subset


def test_every_metric_of_the_miniature_gets_the_scorer_it_was_calibrated_with():
    subset = find_subset("miniature-shared-20")
    found = scorers_of(subset)
    assert {one.metric: one.version for one in found} == subset.record.scorers
    assert [one.kind for one in found] == ["clip", "miniature-detector", "miniature-quality"]
    assert scorers_of(find_subset("miniature-quality-5"))[0].kind == "miniature-quality"
    assert [one.kind for one in asked_scorers(None, subset)] == [one.kind for one in found]
    assert asked_scorers(["pickscore"], subset)[0].kind == "pickscore"
    assert CheckpointMonitor(subset).metric == "CLIP"


def test_without_a_recorded_scorer_the_metric_says_the_kind():
    (clip,) = scorers_of(find_subset("coco-clip-50"))
    assert (clip.kind, clip.checkpoint) == ("clip", "openai/clip-vit-large-patch14")


def _with(metrics, scorers):
    subset = find_subset("coco-clip-5")
    parts = tuple(MetricInfo(metric) for metric in metrics)
    return replace(subset, metrics=parts, record=replace(subset.record, scorers=scorers))


def test_a_recorded_type_of_numbers_is_kept():
    usual = "openai/clip-vit-large-patch14@32bd6428"
    assert scorers_of(_with(["CLIP"], {"CLIP": usual}))[0].dtype == "fp32"
    assert scorers_of(_with(["CLIP"], {"CLIP": f"{usual} bf16"}))[0].dtype == "bf16"


def test_a_judge_is_taken_only_where_it_asks_what_was_asked():
    usual = VqaSettings()
    head = f"{usual.checkpoint}@cc594898"
    for dtype in ("auto", "bf16"):
        version = f"{head} {dtype} {usual.asks_label}"
        (found,) = scorers_of(_with(["VQAScore"], {"VQAScore": version}))
        assert (found.kind, found.dtype) == ("vqa", dtype)
    (found,) = scorers_of(_with(["VQAScore"], {"VQAScore": f"{head} {usual.asks_label}"}))
    assert found.dtype == "fp32"
    with pytest.raises(SettingError, match=r"VQAScore was asked otherwise .*asks:00000000, not as"):
        scorers_of(_with(["VQAScore"], {"VQAScore": f"{head} auto asks:00000000"}))
    with pytest.raises(SettingError, match=r"Questions needs more: .*questions is missing"):
        scorers_of(_with(["Questions"], {}))


@pytest.mark.parametrize(
    ("metrics", "scorers", "parts"),
    [
        (["beauty"], {}, ["no scorer here gives beauty", "metric_name:beauty", "function:"]),
        (
            ["beauty", "CLIP"],
            {"beauty": "b@1"},
            ["(it was b@1)", "scorers=[clip] takes"],
        ),
        (["CLIP"], {"CLIP": "clip@00000000"}, ["CLIP was scored by clip@00000000", "checkpoint:"]),
        (["Aesthetic"], {}, ["Aesthetic needs more", "predictor"]),
        ([], {}, ["no metric", "say which"]),
    ],
)
def test_what_cannot_be_made_is_one_line_with_what_to_write(metrics, scorers, parts):
    with pytest.raises(SettingError) as raised:
        scorers_of(_with(metrics, scorers))
    said = str(raised.value)
    assert said.startswith("scorers is missing: ")
    assert "\n" not in said
    for part in parts:
        assert part in said
