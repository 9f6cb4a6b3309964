import pytest

from flasheval.base.errors import SettingError
from flasheval.scores.importers import IMPORTERS, import_scores


def test_every_importer_is_there():
    assert set(IMPORTERS) == {"flasheval-official", "long", "wide", "npz"}


def test_unknown_importers_and_settings_suggest_the_nearest():
    with pytest.raises(SettingError, match=r"no importer 'flasheval_official'; .*'flasheval-off"):
        import_scores("flasheval_official", "x")
    with pytest.raises(SettingError, match=r"no setting 'promts'; .* did you mean 'prompts'"):
        import_scores("npz", "x", promts="y")
    with pytest.raises(SettingError, match="'npz' has no setting 'source'"):
        import_scores("npz", "x", **{"source": "y"})


def test_an_importer_is_run(tmp_path):
    (tmp_path / "clip.csv").write_text("prompt_id,a\n1,2\n")
    assert import_scores("wide", tmp_path / "clip.csv").table.metrics == ("clip",)
