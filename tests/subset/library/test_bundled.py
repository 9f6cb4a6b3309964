"""The manifests that come with the package: sound, honest, and without other people's texts."""

import numpy as np
import pytest

from flasheval.base.resources import bundled, subsets_dir
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreTable
from flasheval.subset import Subset
from flasheval.subset.library.catalogue import load_named
from flasheval.subset.library.verifying import verify

SIZES = (5, 10, 20, 50, 100, 200, 500)
SERVES = {
    "coco": ("imagereward", "aesthetic", "clip", "shared"),
    "diffusiondb": ("imagereward", "hps", "aesthetic", "clip", "shared"),
    "miniature": ("clip", "composition", "quality", "shared"),
}


@pytest.fixture(scope="module")
def subsets() -> dict[str, Subset]:
    return {name: load_named(path, name) for name, path in bundled().items()}


def test_every_family_has_every_size_in_its_folder(subsets):
    expected = {
        f"{population}/{population}-{serves}-{size}.json"
        for population, families in SERVES.items()
        for serves in families
        for size in SIZES
    }
    found = {path.relative_to(subsets_dir()).as_posix() for path in bundled().values()}
    assert found == expected
    assert all(subset.size == int(name.rpartition("-")[2]) for name, subset in subsets.items())


def test_each_is_sound_and_the_beginning_of_the_next(subsets):
    for name in subsets:
        assert verify(name, subsets).faults == ()
    for name, subset in subsets.items():
        whole = subsets[f"{name.rpartition('-')[0]}-500"]
        assert whole.ids[: subset.size] == subset.ids


def test_only_the_miniature_carries_texts(subsets):
    for subset in subsets.values():
        known = {prompt.text is not None for prompt in subset.prompts}
        assert known == {subset.prompt_set_name == "miniature"}
        assert all(prompt.text_hash for prompt in subset.prompts)
        if subset.prompt_set_name == "diffusiondb":
            assert all(set(one.sources) == {"image_name", "part_id"} for one in subset.prompts)


def test_each_says_what_was_measured_on_which_splits(subsets):
    for subset in subsets.values():
        record = subset.record
        kinds = [record.evidence, *record.further_evidence]
        splits = {one.split_spec: len(one.splits) for one in kinds}
        official = {} if subset.prompt_set_name == "miniature" else {"official split": 1}
        pairs = 5 if subset.prompt_set_name == "miniature" else 7
        assert splits == {
            "random halves, seeds from 1000": 30,
            "two base models left out": pairs,
            **official,
        }
        metrics = {metric.name for metric in subset.metrics}
        assert all(set(one.metrics) == metrics and one.size == subset.size for one in kinds)
        assert all(one.applies_to == "procedure" for one in kinds)
        assert metrics <= set(record.calibration.metrics)
        behind = [
            one for one in kinds if one.pooled.held_out_tau.mean <= one.pooled.random_tau.mean
        ]
        said = [line for line in record.warnings if "is not above that of random" in line]
        assert len(said) == len(behind)


@pytest.mark.parametrize(
    ("population", "fixture"), [("coco", "coco_table"), ("diffusiondb", "diffusiondb_table")]
)
def test_prompts_and_means_are_those_of_the_official_data(subsets, population, fixture, request):
    table: ScoreTable = request.getfixturevalue(fixture).complete()[0]
    _check_against(table, subsets[f"{population}-shared-50"])
    _check_against(table, subsets[f"{population}-clip-500"])


def test_prompts_and_means_are_those_of_the_miniature(subsets):
    from flasheval import load_scores

    table = load_scores("miniature")
    _check_against(table, subsets["miniature-shared-50"])
    texts = PromptSet("x", table.prompts.ids, table.prompts.texts).take(
        table.prompts.index_of(subsets["miniature-clip-5"].ids)
    )
    assert subsets["miniature-clip-5"].texts == texts.texts


def _check_against(table: ScoreTable, subset: Subset) -> None:
    subset.verify(table.prompts)
    chosen = table.prompts.index_of(subset.ids)
    assert subset.searched_variants == table.variant_names
    for metric in (one.name for one in subset.metrics):
        values = table[metric].values.astype(np.float64)
        for row, known in enumerate(subset.record.known_variants):
            assert known.full_means[metric] == pytest.approx(values[row].mean(), rel=1e-9)
            assert known.subset_means[metric] == pytest.approx(values[row, chosen].mean(), rel=1e-9)
