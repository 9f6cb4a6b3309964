import pytest

from flasheval.base.errors import DataError
from flasheval.scores.importers import IMPORTERS, import_scores, recognised
from flasheval.scores.importers.results.layout import ResultLayout

LAYOUTS = [name for name, one in IMPORTERS.items() if issubclass(one, ResultLayout)]


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_is_not_there_is_said_with_what_was_expected(name, tmp_path):
    with pytest.raises(DataError, match=r"holds no .*; expected "):
        import_scores(name, tmp_path)
    with pytest.raises(DataError, match="absent does not exist; expected "):
        import_scores(name, tmp_path / "absent")


def test_a_folder_of_two_layouts_is_refused(write):
    folder = write(
        {
            "geneval/a.jsonl": [{"filename": "1.png", "prompt": "A cat.", "correct": True}],
            "t2i/a/annotation_blip/vqa_result.json": [{"question_id": 0, "answer": "0.5"}],
        }
    )
    with pytest.raises(DataError, match=r"2 layouts \(geneval, t2i-compbench\); name a folder of"):
        recognised(folder)
    assert recognised(folder / "geneval") == "geneval"


def test_ordinary_files_are_taken_for_no_layout(write):
    folder = write(
        {
            "wide.csv": "prompt_id,a,b\n1,0.5,1\n",
            "long.jsonl": [{"model": "a", "prompt_id": 1, "score": 2}],
            "texts.json": {"0": {"text": "A cat."}},
            "pairs.tsv": "uid\ta\nx\t0.5\n",
            "settings.yaml": "a: 1",
        }
    )
    assert recognised(folder) is None
    for path in folder.iterdir():
        assert recognised(path) is None
