import json

import numpy as np
import pytest

from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.scores import ScoreTable, load_scores


@pytest.fixture
def table(make_table):
    return make_table(3, 4, ("clip", "fid"), lower_is_better=("fid",))


def test_a_saved_folder_and_a_table(tmp_path, table):
    assert load_scores(table) is table
    assert load_scores(table.save(tmp_path)).content_hash == table.content_hash
    with_texts = load_scores(tmp_path, prompts=table.prompts)
    assert with_texts.content_hash == table.content_hash
    assert load_scores(str(tmp_path / "scores")).metrics == ("clip", "fid")


def test_a_table_names_its_metrics_itself(table):
    with pytest.raises(SettingError, match="these scores name theirs: clip, fid"):
        load_scores(table, metric="x")
    with pytest.raises(ConflictError, match="metric 'fid'"):
        load_scores(table, higher_is_better=True)
    with pytest.raises(SettingError, match=r"names the metric 'fd'; .* did you mean 'fid'"):
        load_scores(table, higher_is_better={"fd": False})
    assert load_scores(table, higher_is_better={"fid": False}) is table


def test_a_mapping_of_metric_to_file(tmp_path, table):
    for metric in table.metrics:
        np.savez(
            tmp_path / f"{metric}-v1.npz",
            scores=table[metric].values,
            variants=np.array(table.variant_names),
            prompt_ids=np.array(table.prompts.ids),
        )
    files = {metric: tmp_path / f"{metric}-v1.npz" for metric in table.metrics}
    read = load_scores(files, prompts=table.prompts, higher_is_better={"fid": False})
    assert read.metrics == ("clip", "fid")
    assert read["fid"].higher_is_better is False
    assert read.prompts == table.prompts
    np.testing.assert_array_equal(read["fid"].values, table["fid"].values)
    with pytest.raises(SettingError, match="a mapping that names the metrics"):
        load_scores(files, metric="x")
    with pytest.raises(SettingError, match="is empty"):
        load_scores({})
    with pytest.raises(SettingError, match="names the metric 'fd'"):
        load_scores(files, higher_is_better={"fd": False})


def test_folders_that_are_something_else(tmp_path):
    with pytest.raises(DataError, match="holds no scores: expected a folder written by"):
        load_scores(tmp_path)
    file = tmp_path / "Image_score" / "COCO" / "CLIP" / "base" / "CLIP-DDIM10step-fp-score.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"1": 1}))
    for folder in (tmp_path, tmp_path / "Image_score", tmp_path / "Image_score" / "COCO"):
        with pytest.raises(DataError, match="looks like the official FlashEval tree"):
            load_scores(folder)


def test_what_is_no_source(tmp_path):
    with pytest.raises(SettingError, match="an object of type 'int' is none"):
        load_scores(3)
    with pytest.raises(DataError, match="does not exist; expected a score file or folder"):
        load_scores(tmp_path / "none")
    with pytest.raises(DataError, match="does not exist; expected a score file or folder"):
        load_scores(tmp_path / "none.parquet")


def test_a_bare_name_that_is_nothing_says_which_scores_are_shipped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"coco does not exist; .* shipped: miniature, "):
        load_scores("coco")
    with pytest.raises(DataError, match="did you mean 'miniature'"):
        load_scores("minature")
    with pytest.raises(DataError, match="a subset of that name is shipped, but no scores"):
        load_scores("coco-shared-50")


def test_a_table_of_one_variant_can_be_read(tmp_path, table):
    assert len(ScoreTable.load(table.with_variants(["v1"]).save(tmp_path))) == 1
