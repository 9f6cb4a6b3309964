import pytest

from flasheval.base.errors import SettingError
from flasheval.cli.commands.score_settings import read_scores


def test_scores_are_read_or_made_up(scores, tmp_path):
    assert read_scores("synthetic", None, None).prompts.name == "synthetic"
    path = str(tmp_path / "scores")
    assert read_scores(path, None, None).content_hash == scores.content_hash
    wide = tmp_path / "fid.csv"
    wide.write_text("prompt_id,a,b\n1,0.1,0.2\n")
    assert not read_scores(str(wide), None, {"fid": False})["fid"].higher_is_better
    for source, prompts, direction, said in (
        ("synthetic", "prompts.csv", None, "add scores=PATH"),
        ("", None, None, "expected a path"),
        (path, None, "yes", "expected true, false"),
    ):
        with pytest.raises(SettingError, match=said):
            read_scores(source, prompts, direction)
