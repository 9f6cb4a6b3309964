import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from flasheval.scores import ScoreTable
from flasheval.subset import Subset


def load(folder: Path) -> Subset:
    return Subset.load(folder / "subset.json")


def test_without_arguments_it_searches_the_shipped_population_and_says_so(run, tmp_path):
    ran = run("search", quick=False)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    note = "miniature: small models of a drawn world, which travel with flasheval"
    assert lines[0] == note
    assert "random prompts would" in lines[1]  # the answer first
    assert "evidence of the procedure, not of this exact set; 10 splits (random:10)" in ran.out
    assert max(map(len, lines[:-3])) <= 80
    folder = tmp_path / "flasheval-runs/search/miniature-all-auto-50-seed0"
    assert {path.name for path in folder.iterdir()} == {
        "config",
        "subset.json",
        "history.parquet",
        "agreement.parquet",
        "agreement.png",
        "search.log",
        "units",
    }
    subset = load(folder)
    assert subset.size == 50
    assert subset.record.notes[0] == note
    assert subset.record.notes[1].startswith("auto took ")
    assert subset.record.notes[1] in " ".join(ran.out.split())
    assert f'flasheval.load_subset("{folder.relative_to(tmp_path)}")' in ran.out


def test_the_run_folder_tells_what_was_run(run, tmp_path, scores):
    assert run("search", "scores=scores", "metric=clip", "out=mine").code == 0
    assert "size: 5\n" in (tmp_path / "mine/config/config.yaml").read_text()
    assert "- metric=clip\n" in (tmp_path / "mine/config/overrides.yaml").read_text()
    log = (tmp_path / "mine/search.log").read_text()
    for part in ("$ flasheval search", "numpy", "flasheval 0", "held-out tau", "sets scored"):
        assert part in log
    agreement = pq.read_table(tmp_path / "mine/agreement.parquet").to_pydict()
    assert agreement["split"] == ["random:0", "random:1"]
    assert set(agreement["metric"]) == {"clip"}
    assert (tmp_path / "mine/agreement.png").read_bytes()[:4] == b"\x89PNG"


def test_the_same_command_finds_its_folder_and_does_nothing_twice(run, tmp_path, scores):
    words = ("search", "scores=scores", "metric=clip", "method=anneal", "method.swaps=200")
    assert run(*words).code == 0
    (folder,) = (tmp_path / "flasheval-runs/search").iterdir()
    before = {path: path.stat().st_mtime_ns for path in (folder / "units").iterdir()}
    first = load(folder)
    assert run(*words).code == 0
    assert load(folder).content_hash == first.content_hash
    assert {path: path.stat().st_mtime_ns for path in (folder / "units").iterdir()} == before


def test_other_settings_get_another_folder(run, tmp_path, scores):
    for words in (["seed=1"], ["method.passes=3"], ["splits=random:3"], []):
        assert run("search", "scores=scores", "metric=clip", *words).code == 0
    assert len(list((tmp_path / "flasheval-runs/search").iterdir())) == 4


def test_python_and_the_command_line_find_the_same(run, tmp_path, scores):
    from flasheval import search

    words = ("metric=clip", "method=frequency", "method.n_sets=300", "method.pools=[20,10]")
    assert run("search", "scores=scores", *words, "seed=3", "out=mine").code == 0
    settings = {"n_sets": 300, "pools": (20, 10)}
    result = search(
        scores,
        size=5,
        method="frequency",
        settings=settings,
        metric="clip",
        seed=3,
        splits="random:2",
    )
    assert load(tmp_path / "mine").content_hash == result.subset.content_hash


def test_ids_come_as_lists_and_files(run, tmp_path, scores):
    (tmp_path / "must.txt").write_text("p3\n\n  p40 \n")
    (tmp_path / "not.json").write_text('["p1", "p2"]')
    words = ("scores=scores", "metric=clip", "require=must.txt", "forbid=not.json")
    assert run("search", *words, "out=a").code == 0
    ids = load(tmp_path / "a").ids
    assert {"p3", "p40"} <= set(ids)
    assert run("search", *words[:2], "warm_start=a/subset.json", "out=b").code == 0
    assert list(ids) == load(tmp_path / "b").method.settings["warm_start"]
    assert run("search", *words[:2], "require=[p3,p40]", "out=c").code == 0
    assert {"p3", "p40"} <= set(load(tmp_path / "c").ids)


def test_nested_sizes_are_prefixes(run, tmp_path, scores):
    ran = run("search", "scores=scores", "metric=clip", "nested=[6,3]", "out=both")
    assert ran.code == 0
    rows = [line.split()[0] for line in ran.out.splitlines() if line.strip()]
    assert rows[rows.index("first") + 1 :][:2] == ["3", "6"]
    assert run("search", "scores=scores", "metric=clip", "size=3", "out=small").code == 0
    both = load(tmp_path / "both")
    assert both.size == 6
    assert both.ids[:3] == load(tmp_path / "small").ids


def test_several_metrics_share_a_subset(run, tmp_path, scores):
    ran = run("search", "scores=scores", "metric=[clip,fid]", "method=shared", "out=mine")
    assert ran.code == 0
    rows = [line.split()[0] for line in ran.out.splitlines() if line.strip()]
    assert rows.index("mean") < rows.index("clip") < rows.index("fid")
    assert [str(metric) for metric in load(tmp_path / "mine").metrics] == [
        "clip (higher is better)",
        "fid (lower is better)",
    ]


def test_a_direction_can_be_said_for_a_file_that_does_not(run, tmp_path, scores):
    rows = ["prompt_id," + ",".join(scores.variant_names)]
    for prompt, column in zip(scores.prompts.ids, scores["fid"].values.T, strict=True):
        rows.append(",".join([prompt, *map(repr, column.tolist())]))
    (tmp_path / "fid.csv").write_text("\n".join(rows))
    assert run("search", "scores=fid.csv", "higher_is_better=false", "out=mine").code == 0
    assert not load(tmp_path / "mine").metrics[0].higher_is_better
    assert run("search", "scores={fid: fid.csv}", "higher_is_better={fid: false}").code == 0
    ran = run("search", "scores=fid.csv", "higher_is_better=maybe")
    ran.one_line("higher_is_better=maybe", "true, false")


def test_without_splits_nothing_is_claimed(run, tmp_path, scores):
    ran = run("search", "scores=scores", "metric=clip", "splits=null", "out=mine")
    assert ran.code == 0
    assert "nothing was held out" in ran.out
    assert "random prompts would" not in ran.out
    assert not (tmp_path / "mine/agreement.png").exists()


def test_paths_with_odd_characters_need_no_quotes(run, tmp_path, scores):
    (tmp_path / "scores").rename(tmp_path / "my (first) scores")
    assert run("search", "scores=my (first) scores", "metric=clip", "out=out (1)").code == 0
    assert (tmp_path / "out (1)/subset.json").exists()


def test_an_experiment_of_ones_own(run, tmp_path, scores):
    (tmp_path / "conf/experiment").mkdir(parents=True)
    text = "# @package _global_\ndefaults:\n  - override /method: random\nsize: 4\n"
    (tmp_path / "conf/experiment/mine.yaml").write_text(text)
    words = ("search", "scores=scores", "metric=clip", "splits=random:2", "out=mine")
    extra = ("experiment=mine", "--config-dir", "conf")
    assert run(*words, *extra, quick=False).code == 0
    assert load(tmp_path / "mine").method.name == "random"
    assert load(tmp_path / "mine").size == 4
    (tmp_path / "conf/experiment/mine.yaml").write_text(text + "sise: 4\n")
    assert run(*words, *extra, quick=False).one_line("sise")
    (tmp_path / "conf/experiment/mine.yaml").write_text("size: [4\n")
    assert run(*words, *extra, quick=False).code == 2


def test_the_shipped_experiment_runs(run, tmp_path):
    ran = run("search", "experiment=training-loop", "splits=random:2", "out=mine", quick=False)
    assert ran.code == 0
    assert load(tmp_path / "mine").name == "training-loop"
    assert run("search", "+experiment=training-loop", "--cfg", "job", quick=False).code == 0


def test_relative_paths_are_where_the_user_stands(run, tmp_path, scores, monkeypatch):
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    assert run("search", "scores=../scores", "metric=clip", "out=here").code == 0
    assert (tmp_path / "deep/here/subset.json").exists()


def write_bad_files(folder: Path) -> None:
    (folder / "empty.csv").write_text("")
    (folder / "cut.json").write_text('[{"variant": "a", "prompt_id": "1", "met')
    (folder / "latin.csv").write_bytes(b"prompt_id,caf\xe9\n1,2\n")
    (folder / "folder.csv").mkdir()
    (folder / "words.csv").write_text("prompt_id,a,b\n1,0.1,x\n2,0.3,0.4\n")
    (folder / "inf.csv").write_text("prompt_id,a,b\n1,0.1,inf\n2,0.3,0.4\n")
    (folder / "nan.csv").write_text("prompt_id,a,b\n1,0.1,\n2,,0.4\n")
    (folder / "twice.csv").write_text("prompt_id,a,b\n1,0.1,0.2\n1,0.3,0.4\n")
    (folder / "one.csv").write_text("prompt_id,a\n1,0.1\n2,0.3\n")
    (folder / "tied.csv").write_text("prompt_id,a,b,c,d\n1,1,1,1,1\n2,3,3,3,3\n")
    whole = folder / "scores/scores/clip.parquet"
    (folder / "cut.parquet").write_bytes(whole.read_bytes()[:500])


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["scores=nowhere.csv"], ["nowhere.csv", "does not exist"]),
        (["scores=empty.csv"], ["empty.csv is empty"]),
        (["scores=cut.json"], ["cut.json", "cut short"]),
        (["scores=cut.parquet"], ["cut.parquet", "not a readable Parquet file"]),
        (["scores=latin.csv"], ["latin.csv is not UTF-8"]),
        (["scores=folder.csv"], ["folder.csv holds no scores"]),
        (["scores=words.csv"], ["words.csv", "'b'", "'x'"]),
        (["scores=inf.csv"], ["inf.csv row 1", "'b' is inf"]),
        (["scores=nan.csv"], ["2 of 2 variants are not measured"]),
        (["scores=twice.csv"], ["twice.csv", "'1' more than once"]),
        (["scores=tied.csv", "size=1"], ["'tied'", "same full score"]),
        (["require=nowhere.txt"], ["nowhere.txt does not exist"]),
        (["require=empty.csv"], ["empty.csv is empty"]),
        (["require=folder.csv"], ["folder.csv is a folder"]),
        (["require=latin.csv"], ["latin.csv is not UTF-8"]),
        (["forbid=cut.json"], ["cut.json", "is it whole?"]),
        (["warm_start=scores/variants.parquet"], ["variants.parquet is not UTF-8"]),
        (["prompts=nowhere.txt"], ["nowhere.txt does not exist"]),
        (["out=words.csv"], ["out=words.csv", "choose another folder"]),
        (["out=words.csv/deeper"], ["out=words.csv/deeper", "choose another folder"]),
        (["out=/proc/nowhere"], ["out=/proc/nowhere"]),
    ],
    ids=" ".join,
)
def test_a_fault_of_a_file_is_one_line_that_names_it(run, tmp_path, scores, words, parts):
    _is_one_line(run, tmp_path, words, parts, code=1)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["scores=one.csv", "size=1"], ["at least 2"]),
        (["require=[p1,q9]"], ["'q9'"]),
        (["forbid=[q9]"], ["'q9'"]),
        (["require=[p1]", "forbid=[p1]"], ["both required and forbidden"]),
        (["require=[p1,p1]"], ["require", "'p1' more than once"]),
        (["warm_start=true"], ["warm_start=True"]),
        (["metric=clipp"], ["'clipp'", "did you mean 'clip'?"]),
        (["metric=[clip,clip]"], ["clip is listed twice"]),
        (["metric=3"], ["metric=3"]),
        (["size=0"], ["size=0"]),
        (["size=61"], ["size=61", "60 prompts"]),
        (["nested=[3,61]"], ["61", "60 prompts"]),
        (["seed=-1"], ["seed=-1"]),
        (["draws=0"], ["draws=0"]),
        (["curve=[0]"], ["curve: size 0 is outside 1"]),
        (["curve=soon"], ["curve=soon"]),
        (["splits=randum:3"], ["splits=randum:3", "did you mean 'random'?"]),
        (["splits=group:base"], ["'base'", "base_model"]),
        (["incomplete=maybe"], ["incomplete=maybe"]),
        (["method=frequency", "method.keep=2"], ["method.keep=2"]),
        (["name=../x"], ["'../x'"]),
        (["scores=synthetic", "prompts=must.txt"], ["scores=PATH"]),
    ],
    ids=" ".join,
)
def test_a_mistake_in_a_setting_is_one_line_that_names_it(run, tmp_path, scores, words, parts):
    _is_one_line(run, tmp_path, words, parts, code=2)


def _is_one_line(run, tmp_path, words, parts, code):
    write_bad_files(tmp_path)
    own = any(word.startswith("scores=") for word in words)
    metric = [] if own or any(word.startswith("metric=") for word in words) else ["metric=clip"]
    ran = run("search", *([] if own else ["scores=scores"]), *metric, *words)
    ran.one_line(*parts)
    assert ran.code == code
    assert ran.out == ""
    runs = tmp_path / "flasheval-runs/search"
    assert not runs.exists() or not list(runs.iterdir())  # a mistake leaves nothing behind


def test_incomplete_variants_are_left_out_or_an_error(
    run: Callable[..., object], tmp_path: Path, make_table: Callable[..., ScoreTable]
) -> None:
    table = make_table(24, 60, ("clip",))
    values = np.array(table["clip"].values)
    values[3, 7] = np.nan
    from dataclasses import replace

    matrix = replace(table["clip"], values=values)
    ScoreTable(table.prompts, table.variants, {"clip": matrix}).save(tmp_path / "gaps")
    ran = run("search", "scores=gaps", "out=mine")
    assert ran.code == 0
    assert "1 variants with missing scores were left out: v3" in ran.out
    assert "v3" not in load(tmp_path / "mine").searched_variants
    run("search", "scores=gaps", "incomplete=error").one_line("v3 (98.3%)")


def test_a_bug_shows_its_traceback(run, monkeypatch):
    import flasheval.cli.commands.search as search

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(search, "run_search", broken)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        run("search")


def test_a_manifest_is_json_without_surprises(run, tmp_path, scores):
    assert run("search", "scores=scores", "metric=clip", "out=mine").code == 0
    content = json.loads((tmp_path / "mine/subset.json").read_text())
    assert content["format"] == "flasheval-subset"


def test_auto_through_the_command_line(run, tmp_path, scores):
    ran = run(
        "search", "scores=scores", "metric=clip", "method=auto", "calibrate=false", "out=similar"
    )
    assert ran.code == 0, ran.err
    words = ("method=auto", "method.expect=new_family", "group=base_model", "calibrate=false")
    ran = run("search", "scores=scores", "metric=clip", *words, "out=family")
    assert ran.code == 0, ran.err
    similar, family = load(tmp_path / "similar"), load(tmp_path / "family")
    assert similar.method.settings == {"expect": "similar"}
    assert family.method.settings == {"expect": "new_family"}
    assert similar.size == family.size == 5
    ran = run("search", "scores=scores", "metric=clip", *words[:2], "group=lens", "out=none")
    ran.one_line("method.expect=new_family (auto)", "families are not known", "group=FACTOR")


@pytest.mark.parametrize("method", ["pooled", "ridge"])
def test_weights_reach_the_manifest(run, tmp_path, scores, method):
    words = ("scores=scores", "metric=clip", f"method={method}", "nested=[3,6]", "out=mine")
    ran = run("search", *words)
    assert ran.code == 0, ran.err
    weights = load(tmp_path / "mine").weights
    assert weights.mean() == pytest.approx(1.0, abs=1e-5)
    assert len(set(weights.tolist())) == 6
