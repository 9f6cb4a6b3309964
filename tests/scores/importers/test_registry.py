import pytest

from flasheval.base.errors import SettingError
from flasheval.scores.importers import IMPORTERS, import_scores
from flasheval.scores.importers.wide_table import WideTable


def test_every_importer_is_there():
    assert IMPORTERS.names()[:4] == ("flasheval-official", "long", "wide", "npz")
    assert len(IMPORTERS) == 4 + 13


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


def test_an_importer_is_a_name_a_mapping_or_an_object(tmp_path):
    path = tmp_path / "clip.csv"
    path.write_text("prompt_id,a\n1,2\n")
    for importer in ({"name": "wide", "metric": "fid"}, WideTable(metric="fid")):
        assert import_scores(importer, path).table.metrics == ("fid",)
    assert import_scores("wide", path, metric="fid").table.metrics == ("fid",)
    with pytest.raises(SettingError, match="importer wide: metric is 3; expected a string"):
        import_scores("wide", path, metric=3)
