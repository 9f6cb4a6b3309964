import json
import shutil
import time

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.prompts import PromptSet, load_prompts
from flasheval.scores.importers import import_scores
from flasheval.scores.importers.flasheval_official import FlashevalOfficial
from flasheval.scores.importers.official_names import OFFICIAL_VARIANTS

_PROMPTS = PromptSet("tiny", ("1", "2", "3", "4"), tuple("abcd"))
_SCORES = {"1": 0.1, "2": 0.2, "3": 0.3, "4": 0.4}


def _put(root, metric, variant, content=None):
    base, schedule, precision = variant.split("/")
    path = root / metric / base / f"{metric}-{schedule}step-{precision}-score.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_SCORES if content is None else content))
    return path


@pytest.fixture
def tiny(tmp_path):
    root = tmp_path / "Image_score" / "tinyset4"
    for metric in ("CLIP", "HPS"):
        for variant in ("mine/DDIM10/fp", "mine/DDIM10/_6", "yours/PNDM+20/fp"):
            _put(root, metric, variant)
    return root


def _read(root, **settings):
    return FlashevalOfficial(prompts=_PROMPTS, **settings).read(root)


def _problems(result):
    return [(fault.problem, fault.metric, fault.variant) for fault in result.faults]


def test_a_clean_tree_of_other_models(tiny):
    result = _read(tiny)
    assert result.faults == ()
    assert result.table.metrics == ("HPS", "CLIP")
    assert result.table.variant_names == ("mine/DDIM10/_6", "mine/DDIM10/fp", "yours/PNDM+20/fp")
    assert result.table.factor("scheduler") == ("DDIM", "DDIM", "PNDM+")
    np.testing.assert_allclose(result.table["CLIP"].values[1], [0.1, 0.2, 0.3, 0.4], rtol=1e-6)
    assert result.table["CLIP"].higher_is_better
    assert result.summary() == "3 variants, 4 prompts, metrics HPS, CLIP; faults: none"


def test_the_tree_is_found_from_above(tiny):
    for root in (tiny, tiny.parent, tiny.parent.parent):
        assert len(_read(root).table) == 3


def test_the_prompt_file_beside_the_tree_is_used(tiny):
    with pytest.raises(DataError, match=r"no prompt file data/tinyset\*\.json lies beside"):
        FlashevalOfficial().read(tiny)
    data = tiny.parent.parent / "data"
    data.mkdir()
    (data / "other_4.json").write_text("never read")
    (data / "tinySet_4.json").write_text(
        "\n".join(json.dumps({"id": int(i), "caption": i * 3}) for i in _PROMPTS.ids)
    )
    assert FlashevalOfficial().read(tiny).table.prompts.texts == ("111", "222", "333", "444")


def test_several_data_sets_must_be_chosen_from(tiny):
    _put(tiny.parent / "other", "CLIP", "mine/DDIM10/fp")
    with pytest.raises(DataError, match="the data sets other, tinyset4; say which with dataset="):
        _read(tiny.parent)
    assert len(_read(tiny.parent, dataset="other").table) == 1
    with pytest.raises(SettingError, match="no data set 'othr' but other, tinyset4; did you mean"):
        _read(tiny.parent, dataset="othr")


def test_what_is_no_tree(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="is not a folder"):
        _read(tmp_path / "file")
    with pytest.raises(DataError, match="is not a folder"):
        _read(tmp_path / "none")
    with pytest.raises(DataError, match=r"holds no <metric>/<base_model>"):
        _read(tmp_path)


def test_metrics_can_be_chosen(tiny):
    assert _read(tiny, metrics=["CLIP"]).table.metrics == ("CLIP",)
    assert _read(tiny, metrics="CLIP").table.metrics == ("CLIP",)
    with pytest.raises(SettingError, match="metric 'clip'; it has: CLIP, HPS; did you mean 'CLIP'"):
        _read(tiny, metrics=["clip"])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"{}", "empty"),
        (b'{"1": 0.1, "2": 0', "not readable"),
        (b'{"1": "high"}', "not numeric"),
        (b'{"1": 1, "1": 2}', "repeated prompts"),
        (b'{"7": 0.1, "8": 0.2, "1": 0.3}', "another data set"),
    ],
)
def test_a_bad_file_is_a_fault_and_a_row_of_nan(tiny, content, problem):
    _put(tiny, "CLIP", "mine/DDIM10/fp").write_bytes(content)
    result = _read(tiny)
    assert _problems(result) == [(problem, "CLIP", "mine/DDIM10/fp")]
    assert result.bad_files == result.faults
    assert result.faults[0].path == "CLIP/mine/CLIP-DDIM10step-fp-score.json"
    assert result.table["CLIP"].coverage.tolist() == [1, 0, 1]
    assert result.table["HPS"].coverage.tolist() == [1, 1, 1]


def test_a_file_with_some_prompts_keeps_what_it_has(tiny):
    _put(tiny, "CLIP", "mine/DDIM10/fp", {"1": 0.1, "3": 0.3, "4": 0.4})
    _put(tiny, "HPS", "mine/DDIM10/fp", {**_SCORES, "2": float("nan"), "9": 1})
    result = _read(tiny)
    assert [problem for problem, *_ in _problems(result)] == [
        "not finite",
        "unknown prompts",
        "incomplete",
        "incomplete",
    ]
    assert "3 of 4 prompts are measured (75.00%)" in result.faults[-1].detail
    assert result.table["CLIP"].coverage.tolist() == [1, 0.75, 1]


def test_prompts_that_no_file_measures_are_left_out_and_said(tiny):
    more = PromptSet("more", ("9", "1", "2", "8", "3", "4"))
    result = FlashevalOfficial(prompts=more).read(tiny)
    assert _problems(result) == [("unmeasured prompts", None, None)]
    assert "2 of the 6 prompts of 'more'" in result.faults[0].detail
    assert result.table.prompts.ids == ("1", "2", "3", "4")
    assert result.table.complete()[1] == ()


def test_missing_and_misnamed_files(tiny):
    path = _put(tiny, "CLIP", "mine/DDIM10/fp")
    path.rename(path.with_name("CLIP-DDIM-fp-score.json"))
    result = _read(tiny)
    assert _problems(result) == [
        ("unknown name", "CLIP", None),
        ("missing", "CLIP", "mine/DDIM10/fp"),
    ]
    assert result.faults[1].path == "CLIP/mine/CLIP-DDIM10step-fp-score.json"
    assert len(result.bad_files) == 1


def test_no_score_of_the_prompt_set_at_all(tiny):
    with pytest.raises(DataError, match=r"has a score for prompt set 'x': are these the right"):
        FlashevalOfficial(prompts=PromptSet("x", ("7", "8"))).read(tiny)


def test_expected_variants_stand_first_in_their_order(tiny):
    _put(tiny, "CLIP", OFFICIAL_VARIANTS[3])
    result = _read(tiny)
    assert result.table.variant_names[:78] == OFFICIAL_VARIANTS
    assert result.table.variant_names[78:] == (
        "mine/DDIM10/_6",
        "mine/DDIM10/fp",
        "yours/PNDM+20/fp",
    )
    absent = [fault.variant for fault in result.faults if fault.problem == "absent"]
    assert absent == [name for i, name in enumerate(OFFICIAL_VARIANTS) if i != 3]
    assert len(_read(tiny, expected=()).table) == 4


def test_all_of_diffusiondb(diffusiondb_tree):
    start = time.perf_counter()
    result = FlashevalOfficial().read(diffusiondb_tree)
    seconds = time.perf_counter() - start
    table = result.table
    assert result.faults == ()
    assert table.variant_names == OFFICIAL_VARIANTS
    assert table.metrics == ("ImageReward", "HPS", "Aesthetic", "CLIP")
    assert table.n_prompts == 5000
    assert set(table.prompts.extras) == {"image_name", "part_id"}
    means = [table[metric].full_means[0] for metric in table.metrics]
    # The known means have five digits, some of them cut and not rounded.
    np.testing.assert_allclose(means, [0.35367, 0.21219, 6.1121, 0.29661], rtol=3e-5)
    assert seconds < 20, "a few seconds where nothing else runs"


_EMPTY = [
    ("CLIP", "stablediffusion1.4/DPM20/_6"),
    ("CLIP", "stablediffusion1.4/DPM20/_8"),
    ("ImageReward", "stablediffusion1.4/DPM20/_6"),
]
_FOREIGN = [
    (metric, variant)
    for metric in ("CLIP", "ImageReward")
    for variant in ("dreamlike-photoreal/DPM20/fp", "stablediffusion1.5/DPM10/_6")
]
_CLEAN = ("dreamlike-photoreal/DDIM10/fp", "stablediffusion1.5/DDIM50/fp")


@pytest.mark.parametrize("with_other", [False, True])
def test_the_dirty_sample(shared_data, coco_dirty_tree, diffusiondb_tree, with_other):
    result = import_scores(
        "flasheval-official",
        coco_dirty_tree,
        prompts=shared_data / "coco-prompts.jsonl.xz",
        other_root=diffusiondb_tree if with_other else None,
    )
    found = {
        problem: sorted((f.metric, f.variant) for f in result.bad_files if f.problem == problem)
        for problem in {fault.problem for fault in result.bad_files}
    }
    assert found == {"empty": _EMPTY, "another data set": _FOREIGN}
    for fault in result.bad_files:
        if fault.problem == "another data set":
            assert "only 421 of its 5000 prompt ids" in fault.detail
            assert ("scores are those of diffusionDB5000/" in fault.detail) == with_other
    missing = [(f.metric, f.variant) for f in result.faults if f.problem == "missing"]
    assert missing == [("ImageReward", "stablediffusion1.4/DPM20/_8")]
    assert sum(fault.problem == "absent" for fault in result.faults) == 72
    table, dropped = result.table.complete()
    assert table.variant_names == _CLEAN
    assert len(dropped) == 76


def test_the_dirty_sample_agrees_with_the_complete_matrices(
    shared_data, coco_dirty_tree, coco_table
):
    prompts = load_prompts(shared_data / "coco-prompts.jsonl.xz")
    table = FlashevalOfficial(prompts=prompts).read(coco_dirty_tree).table
    table = table.with_variants(_CLEAN)
    merged = table.merge(coco_table)  # refuses any score that differs
    assert merged.prompts == coco_table.prompts
    assert merged.metrics == ("ImageReward", "CLIP", "Aesthetic")


def test_the_dirty_sample_beside_the_other_data_set(tmp_path, coco_dirty_tree, diffusiondb_tree):
    # diffusionDB_5000.json then lies beside the COCO tree; it must not be taken for its prompts.
    shutil.copytree(coco_dirty_tree / "Image_score", tmp_path / "Image_score")
    shutil.copytree(diffusiondb_tree / "data", tmp_path / "data")
    with pytest.raises(DataError, match=r"no prompt file data/coco\*\.json"):
        FlashevalOfficial().read(tmp_path)


def test_the_other_way_round_diffusiondb_is_clean(coco_dirty_tree, diffusiondb_tree):
    result = FlashevalOfficial(metrics=["CLIP"], other_root=coco_dirty_tree).read(diffusiondb_tree)
    assert result.faults == ()
