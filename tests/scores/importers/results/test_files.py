from pathlib import Path

import pytest

from flasheval.scores.importers.results.files import first_entry, first_record, model_names, walk


@pytest.mark.parametrize(
    ("places", "names"),
    [
        (["a", "b"], ["a", "b"]),
        (["eval/a/geneval", "eval/b/geneval"], ["a", "b"]),
        (["lab/a", "lab2/a", "lab2/b"], ["lab/a", "lab2/a", "lab2/b"]),
        (["results/a/outputs", "results/b"], ["a", "b"]),
        (["x/a", "b"], ["x/a", "b"]),
        (["."], ["top"]),
        (["a/b"], ["a/b"]),
        (["../elsewhere"], ["elsewhere"]),
    ],
)
def test_models_go_by_the_part_of_the_path_that_differs(tmp_path, places, names):
    top = tmp_path / "top"
    assert [name for name, _ in model_names(top, [top / place for place in places])] == names


def test_a_folder_is_walked_level_by_level_and_loops_end(write):
    folder = write({"b/x": "1", "a10": "1", "a9": "1", ".git/x": "1"})
    (folder / "b" / "up").symlink_to(folder, target_is_directory=True)
    found = [str(path.relative_to(folder)) for path in walk(folder)]
    assert found[:3] == ["a9", "a10", "b/x"]
    assert len(found) < 10
    assert list(walk(folder / "absent")) == []
    assert len(list(walk(folder, most=1))) <= 2


def test_the_first_record_and_entry_are_read_alone(write):
    folder = write(
        {
            "a.jsonl": '\n\n{"x": 1}\n{',
            "b.json": '[{"x": 2}, {',
            "c.json": '{"k": [1], "',
        }
    )
    assert first_record(folder / "a.jsonl") == {"x": 1}
    assert first_record(folder / "b.json") == {"x": 2}
    assert first_entry(folder / "c.json") == ("k", [1])
    assert first_entry(folder / "b.json") is None
    assert first_entry(Path("absent.json")) is None
    with pytest.raises(ValueError, match="Unterminated"):
        first_record(folder / "c.json")
