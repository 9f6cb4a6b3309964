import json
import re
import tarfile
from collections import Counter

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.prompts import PromptSet, text_hash
from flasheval.scores.importers.official_names import OFFICIAL_VARIANTS
from flasheval.selection.released_labels import fitted
from flasheval.selection.released_subset import import_released
from flasheval.subset import Subset

OFFICIAL = "COCO_CLIP_searched_subset_3prompts.json"


def write(folder, rows, name="theirs.json"):
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rows_of(table, positions):
    prompts = table.prompts
    return [{"id": prompts.ids[i], "caption": prompts.texts[i]} for i in positions]


ROWS = [
    {"id": 7, "caption": "a cat ", "image_id": 1},
    {"id": 3, "caption": "a dog", "image_id": 2},
    {"id": 7, "caption": "a cat", "image_id": 1},
]


def test_repeats_are_counted_and_told(tmp_path):
    released = import_released(write(tmp_path, ROWS), metric="CLIP")
    subset = released.subset
    assert subset.ids == ("7", "3")
    assert [one.multiplicity for one in subset.prompts] == [2, 1]
    assert [one.text_hash for one in subset.prompts] == [text_hash("a cat"), text_hash("a dog")]
    assert [one.text for one in subset.prompts] == [None, None]
    assert subset.prompts[0].sources == {"image_id": "1"}
    assert subset.weights.tolist() == [2, 1]
    assert (subset.name, subset.method.name, subset.method.seed) == ("theirs", "imported", None)
    (warning,) = released.warnings
    assert warning.startswith("1 of its 3 draws repeat a prompt, 2 are different")
    assert "imported from theirs.json" in subset.record.notes
    path = subset.save(tmp_path / "out.json")
    assert Subset.load(path) == subset


def test_texts_are_kept_when_asked(tmp_path):
    kept = import_released(write(tmp_path, ROWS), metric="CLIP", texts=True, name="mine").subset
    assert kept.texts == ("a cat ", "a dog")
    assert kept.name == "mine"


def test_prompts_that_are_others_in_the_prompt_set_are_named(tmp_path):
    path = write(tmp_path, ROWS)
    whole = PromptSet("pets", ("3", "7", "9"), ("a dog", "a cat", "a newt"))
    right = import_released(path, prompts=whole, metric="CLIP").subset
    right.verify(whole)
    assert right.prompt_set_hash == whole.hash
    other = PromptSet("pets", ("3", "9"), ("a fox", "a newt"))
    released = import_released(path, prompts=other, metric="CLIP")
    assert released.subset.prompt_set_hash is None
    assert '1 of its prompts are not in prompt set "pets" (7)' in released.warnings
    assert '1 of its prompts have another text in prompt set "pets" (3)' in released.warnings
    bare = import_released(path, prompts=PromptSet("pets", ("3", "7")), metric="CLIP")
    assert bare.warnings[-1] == 'prompt set "pets" has no texts here, so they were not compared'
    with pytest.raises(DataError, match='none of its 2 prompts is in prompt set "pets"'):
        import_released(path, prompts=PromptSet("pets", ("9",)), metric="CLIP")


@pytest.mark.parametrize(
    ("label", "metric", "said"),
    [
        ("CLIP", "Aesthetic", "labels Aesthetic and CLIP are swapped, so it serves Aesthetic"),
        ("Aesthetic", "CLIP", "so it serves CLIP"),
        ("HPS", "HPS", "no ranking is known that the authors' HPS files fit"),
        ("ImageReward", "ImageReward", None),
    ],
)
def test_an_official_name_is_known_to_be_wrong(tmp_path, label, metric, said):
    for prompt_set in ("COCO", "diffusionDB"):
        path = write(tmp_path, ROWS, f"{prompt_set}_{label}_searched_subset_3prompts.json")
        released = import_released(path)
        assert [one.name for one in released.subset.metrics] == [metric]
        assert released.subset.prompt_set_name.lower() == prompt_set.lower()
        assert released.subset.method.settings["label"] == label
        assert "github.com/thu-nics/FlashEval" in released.subset.record.notes[0]
        about = [warning for warning in released.warnings if "draws" not in warning]
        assert any(said in warning for warning in about) if said else True
        fits_coco = any("were fitted to COCO's ranking" in warning for warning in about)
        assert fits_coco == (prompt_set == "diffusionDB" and label != "HPS")


def test_scores_tell_which_ranking_it_fits(tmp_path, make_table):
    table = make_table(30, 200, ("CLIP", "Aesthetic"), lower_is_better=("Aesthetic",), noise=2.0)
    values = table["Aesthetic"].values
    full = values.mean(axis=1)
    fit = [np.corrcoef(values[:, j], full)[0, 1] for j in range(200)]
    best = np.argsort(fit)[-25:].tolist()
    released = import_released(write(tmp_path, rows_of(table, best), OFFICIAL), scores=table)
    assert fitted(released.fits).metric == fitted(released.fits).ranking == "Aesthetic"
    (metric,) = released.subset.metrics
    assert (metric.name, metric.higher_is_better) == ("Aesthetic", False)
    assert any("label says CLIP, but it fits Aesthetic" in w for w in released.warnings)
    assert released.subset.prompt_set_hash == table.prompts.hash
    seen = table.variant_names[::2]
    path = write(tmp_path, rows_of(table, best))
    half = import_released(path, scores=table, searched=seen, metric="CLIP").subset
    assert half.searched_variants == seen
    assert half.metrics[0].name == "CLIP"


def test_a_fit_is_looked_for_on_the_variants_searched(tmp_path, make_table):
    table = make_table(40, 300, ("CLIP",), noise=8.0)
    values = table["CLIP"].values[::2]
    full = values.mean(axis=1)
    fit = [np.corrcoef(values[:, j], full)[0, 1] for j in range(300)]
    path = write(tmp_path, rows_of(table, np.argsort(fit)[-30:].tolist()))
    seen = import_released(path, scores=table, searched=table.variant_names[::2])
    unseen = import_released(path, scores=table, searched=table.variant_names[1::2], metric="CLIP")
    assert fitted(seen.fits).ranking == "CLIP"
    assert seen.warnings == ()
    assert fitted(unseen.fits) is None
    assert unseen.fits[0].tau < seen.fits[0].tau


def test_scores_that_fit_nothing_are_told(tmp_path, make_table):
    table = make_table(30, 200, ("CLIP", "Aesthetic"))
    path = write(tmp_path, rows_of(table, range(20)), OFFICIAL)
    released = import_released(path, scores=table)
    assert fitted(released.fits) is None
    assert any("fits none of the scores' rankings much better" in w for w in released.warnings)
    assert any("labels Aesthetic and CLIP are swapped" in w for w in released.warnings)
    assert [one.name for one in released.subset.metrics] == ["Aesthetic"]


@pytest.mark.parametrize(
    ("rows", "options", "error", "message"),
    [
        (ROWS, {}, SettingError, "does not say which metric it serves; give metric=NAME"),
        ([{"id": 1}], {}, DataError, r"theirs.json line 1: it has none of the keys caption, "),
        ([{"id": 1.5, "caption": "a"}], {}, DataError, "line 1: a prompt id must be"),
        ([{"id": 1, "caption": 5}], {}, DataError, "line 1: its caption is 5, no text"),
        ([*ROWS, {"id": 3, "caption": "b"}], {}, DataError, "line 4: prompt 3 has another text"),
    ],
)
def test_a_fault_is_one_line(tmp_path, rows, options, error, message):
    with pytest.raises(error, match=message):
        import_released(write(tmp_path, rows), **options)


def test_scores_of_something_else_are_refused(tmp_path, make_table):
    table = make_table(12, 40, ("clip",))
    path = write(tmp_path, rows_of(table, [1, 2]))
    wrong = write(tmp_path, [*rows_of(table, [1]), {"id": "p2", "caption": "other"}], "wrong.json")
    with pytest.raises(DataError, match="the scores are of other prompts: 1 of its prompts have"):
        import_released(wrong, scores=table)
    with pytest.raises(SettingError, match=r"metric=clipp: the scores have clip; did you mean"):
        import_released(path, scores=table, metric="clipp")
    with pytest.raises(SettingError, match="searched: no complete variant 'v99'"):
        import_released(path, scores=table, searched=("v99",))


def test_an_archive_is_to_be_unpacked(tmp_path):
    for name in ("subsets.tar.xz", "subsets.tar", "subsets.tgz"):
        with pytest.raises(DataError, match="is an archive: unpack it"):
            import_released(tmp_path / name, metric="CLIP")


@pytest.fixture(scope="module")
def released_files(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("released")
    with tarfile.open(shared_data / "flasheval-released-subsets.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return sorted(folder.rglob("*.json"))


def test_all_forty_files_are_read(released_files):
    assert len(released_files) == 40
    repeats = 0
    for path in released_files:
        released = import_released(path)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        counted = Counter(str(line["id"]) for line in lines)
        assert {one.id: one.multiplicity for one in released.subset.prompts} == counted
        repeats += any("repeat a prompt" in warning for warning in released.warnings)
        assert all(one.text is None for one in released.subset.prompts)
    assert repeats == 21


def test_real_labels_are_found_wrong(released_files, coco_table):
    by_name = {path.stem: path for path in released_files}
    for label, metric in (
        ("CLIP", "Aesthetic"),
        ("Aesthetic", "CLIP"),
        ("ImageReward", "ImageReward"),
        ("HPS", None),
    ):
        path = by_name[f"COCO_{label}_searched_subset_50prompts"]
        released = import_released(path, scores=coco_table)
        fit = fitted(released.fits)
        assert (fit and fit.metric) == metric
        swapped = [w for w in released.warnings if re.search("label says", w)]
        assert bool(swapped) == (metric not in (None, label))
        released.subset.verify(coco_table.prompts)


def test_the_variants_searched_tell_more(released_files, coco_table, shared_data):
    path = next(p for p in released_files if p.stem == "COCO_CLIP_searched_subset_500prompts")
    positions = json.loads((shared_data / "official-train-ids.json").read_text())
    searched = [OFFICIAL_VARIANTS[i] for i in positions]
    seen = [name for name in searched if name in coco_table.variant_names]
    assert fitted(import_released(path, scores=coco_table).fits) is None
    fit = fitted(import_released(path, scores=coco_table, searched=seen).fits)
    assert fit.metric == "Aesthetic"
    assert round(fit.tau, 3) == 0.996  # as docs/evidence/released-subsets.md has it


def test_a_real_diffusiondb_file_does_not_fit_its_own_rankings(released_files, diffusiondb_table):
    path = next(p for p in released_files if p.stem == "diffusionDB_HPS_searched_subset_200prompts")
    released = import_released(path, scores=diffusiondb_table)
    assert fitted(released.fits) is None
    assert released.subset.size == 157
    assert released.warnings[0].startswith("43 of its 200 draws repeat a prompt, 157 are different")
