import json
import shutil

import pytest

import flasheval
from flasheval.base import resources
from flasheval.cli.commands import subsets
from flasheval.cli.configs import SubsetsConfig
from flasheval.prompts import PromptSet, save_prompts
from flasheval.scores import ScoreTable


@pytest.fixture(scope="module")
def manifests(make_table, tmp_path_factory):
    """Two searched and validated subsets of the prompts that `scores` has, as manifests."""
    table = make_table(24, 60, ("clip", "fid"), lower_is_better=("fid",))
    # As those of a public benchmark: the manifests hold hashes, the texts are looked up.
    table = ScoreTable(table.prompts.without_texts(), table.variants, table.matrices)
    folder = tmp_path_factory.mktemp("manifests")
    for name, size, metric in (("made-clip-5", 5, "clip"), ("made-fid-10", 10, "fid")):
        found = flasheval.search(
            table.with_metrics([metric]),
            size=size,
            method="balanced",
            splits="random:2",
            draws=10,
            curve="auto",
            calibrate=False,
            name=name,
        )
        found.subset.save(folder / f"{name}.json")
    return folder


@pytest.fixture
def published(manifests, scores, tmp_path, monkeypatch):
    """The folder of published subsets, and prompts.parquet that has their texts."""
    folder = tmp_path / "published"
    shutil.copytree(manifests, folder)
    monkeypatch.setattr(resources, "subsets_dir", lambda: folder)
    save_prompts(scores.prompts, tmp_path / "prompts.parquet")
    return folder


def test_from_list_to_use(run, published, tmp_path, scores):
    listed = run("subsets")
    assert listed.code == 0, listed.err
    assert "made-up-0: clip; texts: resolve once" in listed.out
    assert "made-up-0: fid (lower is better); texts: resolve once" in listed.out
    (row,) = (line.split() for line in listed.out.splitlines() if line.startswith("made-clip-5"))
    assert row[1] == "5"
    assert 0 < float(row[2]) <= 1
    assert row[5].endswith("x")
    assert max(map(len, listed.out.splitlines())) <= 80

    shown = run("subsets", "show", "made-clip-5")
    assert "measured on sets chosen in the same way" in shown.out
    assert "once: flasheval subsets resolve made-clip-5 prompts=FILE" in shown.out
    assert "licence" not in shown.out  # nothing is known of it

    resolved = run("subsets", "resolve", "made-clip-5", "prompts=prompts.parquet")
    assert resolved.code == 0, resolved.err
    assert "2 subsets ready: made-clip-5, made-fid-10" in resolved.out
    assert "texts ready" in run("subsets", "list", "fid").out
    assert "made-clip-5" not in run("subsets", "list", "fid").out
    assert "ready, kept in" in run("subsets", "show", "made-fid-10").out
    again = run("subsets", "resolve", "made-fid-10")
    assert again.out == "texts ready: made-fid-10\n"

    (tmp_path / "paint.py").write_text(
        "import numpy as np\n"
        "def paint(prompts, seeds):\n"
        "    return [np.full((8, 8, 3), len(p) / 99) for p in prompts]\n"
        "def light(images, prompts):\n"
        "    return [image.getpixel((0, 0))[0] / 255 for image in images]\n"
    )
    evaluated = run(
        "evaluate", "generator=function", "function=paint.py:paint", "subset=made-clip-5",
        "scorers=[{name:function,function:paint.py:light}]", "device=cpu",
    )  # fmt: skip
    assert evaluated.code == 0, evaluated.err
    assert "made-clip-5" in evaluated.out


def test_show_knows_published_names(run, published):
    ran = run("show", "made-clip-5")
    assert ran.code == 0, ran.err
    assert "made-clip-5: 5 prompts of made-up-0" in ran.out
    run("show", "made-clip-6").one_line("made-clip-6 does not exist", "'made-clip-5'")


def test_a_signature_is_checked_with_all_three_of_its_settings(run, published, tmp_path):
    words = ("subsets", "verify", "made-clip-5")
    run(*words, "signature=a.sig").one_line("signers is missing", "identity=NAME")
    given = ("signature=a.sig", "signers=s", "identity=me")
    run("subsets", "verify", *given).one_line("signature= is of one manifest")
    run("subsets", "list", *given).one_line("list does not use signature=")
    ran = run(*words, *given)
    assert ran.code == 1
    assert "made-clip-5  FAILED  a.sig does not exist" in ran.out


def test_verify_names_what_failed(run, published):
    ran = run("subsets", "verify")
    assert ran.code == 0, ran.err
    assert ran.out.count("  unchanged  sha256 ") == 2
    assert ran.out.endswith("2 subsets unchanged\n")
    path = published / "made-clip-5.json"
    content = bytearray(path.read_bytes())
    place = content.index(b'"held_out_tau"') + 30
    content[place] ^= 1
    path.write_bytes(content)
    ran = run("subsets", "verify")
    assert ran.code == 1
    assert "made-clip-5  FAILED  " in ran.out
    assert str(path) in ran.out
    assert ran.out.endswith("1 of 2 failed: made-clip-5\n")
    assert run("subsets", "verify", "made-fid-10").code == 0
    listed = run("subsets", "list")
    assert listed.code == 1
    assert "made-fid-10" in listed.out


def test_verify_with_texts(run, published, tmp_path):
    ran = run("subsets", "verify", "prompts=prompts.parquet")
    assert ran.code == 0, ran.err
    assert ran.out.count("  texts ok") == 2
    (tmp_path / "some.txt").write_text("a thing numbered p1\n")
    ran = run("subsets", "verify", "made-clip-5", "prompts=some.txt")
    assert ran.code == 1
    assert "are not there (" in ran.out
    (tmp_path / "none.txt").write_text("nothing of it\n")
    run("subsets", "verify", "prompts=none.txt").one_line("none.txt holds no text of any")


def test_resolve_all_and_what_is_missing(run, published, tmp_path, scores):
    (tmp_path / "none.txt").write_text("nothing of it\n")
    run("subsets", "resolve", "all", "prompts=none.txt").one_line("none.txt holds no text of any")
    subset = json.loads((published / "made-fid-10.json").read_text())
    ids = [prompt["id"] for prompt in subset["prompts"]]
    texts = [f"another {i}" if one == ids[1] else f"a thing numbered {one}"
             for i, one in enumerate(scores.prompts.ids)]  # fmt: skip
    kept = [i for i, one in enumerate(scores.prompts.ids) if one not in ids[2:]]
    copy = PromptSet("made-up-0", scores.prompts.ids, tuple(texts)).take(kept)
    save_prompts(copy, tmp_path / "copy.parquet")
    ran = run("subsets", "resolve", "all", "prompts=copy.parquet")
    ran.one_line("copy.parquet lacks texts of", "made-fid-10")
    assert f"made-up-0: 1 prompt there with another text: {ids[1]}\n" in ran.out
    (line,) = (line for line in ran.out.splitlines() if "not there: " in line)
    assert set(ids[2:]) <= set(line.partition("there: ")[2].split(", "))
    ran = run("subsets", "resolve", "all", "prompts=prompts.parquet")
    assert ran.code == 0, ran.err
    assert "2 subsets ready" in ran.out


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["lst"], ["no action 'lst'", "did you mean 'list'"]),
        (["show"], ["no subset is named", "flasheval subsets show NAME"]),
        (["resolve"], ["no subset is named"]),
        (["show", "made-clip-6"], ["'made-clip-6'", "did you mean 'made-clip-5'"]),
        (["list", "made-clp-5"], ["none fits 'made-clp-5'", "'made-clip-5'"]),
        (["resolve", "made-clip-5"], ["prompts is missing", '"made-up-0"']),
        (["resolve", "made-clip-5", "prompts=nowhere.json"], ["nowhere.json does not exist"]),
        (["resolve", "made-clip-5", "prompts=[a,b]"], ["expected one file"]),
        (["verify", "prompts=nowhere.json"], ["nowhere.json does not exist"]),
        (["list", "format=csv"], ["list does not use format="]),
        (["show", "made-clip-5", "fromat=csv"], ["fromat", "'format'"]),
    ],
)
def test_a_mistake_is_one_line(run, published, words, parts):
    run("subsets", *words).one_line(*parts)


def test_verify_names_a_subset_that_is_not_there(run, published):
    ran = run("subsets", "verify", "made-clip-6", "made-clip-5")
    assert ran.code == 1
    assert "made-clip-6  FAILED  there is no subset 'made-clip-6'" in ran.out
    assert "made-clip-5  unchanged" in ran.out


@pytest.mark.parametrize(
    ("action", "function"), [("export", "run_export"), ("import", "run_import_subset")]
)
def test_other_actions_are_handed_on(run, monkeypatch, action, function):
    seen = []
    monkeypatch.setattr(subsets, function, lambda config, console: seen.append(config))
    assert run("subsets", action, "name", "out=here.json").code == 0
    assert seen == [SubsetsConfig(action, ["name"], out="here.json")]
