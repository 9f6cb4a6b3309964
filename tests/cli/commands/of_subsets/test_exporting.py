import json
import subprocess
import sys

import pytest
import yaml

from flasheval.prompts import PromptSet, save_prompts
from flasheval.subset import Method, Subset


@pytest.fixture
def pets(tmp_path):
    """A prompt set in pets.parquet, and a subset of it with texts, full.json, and without."""
    texts = ("a cat [red]", "a " + "long " * 30 + "dog", "a fox")
    prompts = PromptSet("pets", ("1", "2", "3"), texts)
    save_prompts(prompts, tmp_path / "pets.parquet")
    method = Method("random", seed=0)
    subset = Subset.choose(prompts, [1, 0], name="two", metrics=(), method=method, with_texts=True)
    subset.save(tmp_path / "full.json")
    subset.without_texts().save(tmp_path / "bare.json")
    return subset


def test_it_is_written_and_says_what_to_paste(run, tmp_path, pets):
    words = ("format=kohya", "out=out/prompts.txt", "settings.width=768", "settings.seed=0")
    ran = run("subsets", "export", "full.json", *words)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        "2 prompts: out/prompts.txt",
        "--sample_prompts=out/prompts.txt --sample_every_n_steps=500",
    ]
    assert ran.err.count("\n") == 1
    assert ran.err.startswith('flasheval: warning: subset "two": prompt "1": sd-scripts takes')
    lines = (tmp_path / "out/prompts.txt").read_text().splitlines()
    assert [line.split(" --w 768 --d ")[0] for line in lines] == list(pets.texts)
    again = run(
        "subsets", "export", "full.json", "format=text", "out=out/prompts.txt", "overwrite=true"
    )
    assert again.code == 0
    assert (tmp_path / "out/prompts.txt").read_text().splitlines() == list(pets.texts)


def test_without_a_file_it_is_printed_as_it_is(run, pets):
    ran = run("subsets", "export", "full.json", "format=text")
    assert ran.code == 0, ran.err
    assert ran.out == "".join(f"{text}\n" for text in pets.texts)
    assert yaml.safe_load(run("subsets", "export", "full.json", "format=ai-toolkit").out) == {
        "sample": {"prompts": list(pets.texts)}
    }


def test_what_is_printed_can_be_piped(pets, tmp_path):
    words = ["subsets", "export", "full.json", "format=jsonl"]
    command = [sys.executable, "-m", "flasheval", *words]
    ran = subprocess.run(command, capture_output=True, cwd=tmp_path, check=True, timeout=120)
    assert [json.loads(line)["text"] for line in ran.stdout.splitlines()] == list(pets.texts)


def test_texts_are_looked_up_in_a_copy(run, pets, monkeypatch, tmp_path):
    monkeypatch.setenv("FLASHEVAL_CACHE", str(tmp_path / "cache"))
    ran = run("subsets", "export", "bare.json", "format=text", "prompts=pets.parquet")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == list(pets.texts)


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        ([], 2, ["export takes one subset, not none: flasheval subsets export NAME"]),
        (["full.json", "bare.json"], 2, ["takes one subset, not full.json, bare.json"]),
        (["full.json"], 2, ["format is missing", "jsonl, csv, parquet, text, kohya, ai-toolkit"]),
        (["full.json", "format=khoya"], 2, ["no format 'khoya'", "did you mean 'kohya'?"]),
        (["full.json", "format=kohya", "settings.widht=5"], 2, ["no setting 'widht'", "'width'"]),
        (
            ["full.json", "format=kohya", "out=p.lst"],
            2,
            ["out=p.lst", "expected one ending in .txt"],
        ),
        (
            ["full.json", "format=kohya", "settings.layout=json", "out=p.txt"],
            2,
            ["out=p.txt", "expected one ending in .json"],
        ),
        (
            ["full.json", "format=parquet"],
            2,
            ["parquet is binary and cannot be printed: add out=FILE"],
        ),
        (["full.json", "format=text", "out=/proc/x/y"], 1, ["/proc/x/y"]),
        (["bare.json", "format=text"], 1, ["knows the texts of 0 of its 2", "subsets resolve"]),
        (["nowhere.json", "format=text"], 1, ["nowhere.json"]),
    ],
)
def test_a_mistake_is_one_line(run, pets, monkeypatch, tmp_path, words, code, parts):
    monkeypatch.setenv("FLASHEVAL_CACHE", str(tmp_path / "cache"))
    ran = run("subsets", "export", *words)
    ran.one_line(*parts)
    assert ran.code == code
