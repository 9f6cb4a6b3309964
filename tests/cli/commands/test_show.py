import pytest

from flasheval.generators.image_time import ImageTime


def test_scores(run, scores):
    ran = run("show", "scores")
    assert ran.code == 0, ran.err
    assert "24 variants, 60 prompts of made-up-0" in ran.out
    assert "base0, base1, base2, base3" in ran.out
    rows = {line.split()[0]: line.split() for line in ran.out.splitlines() if line.strip()}
    assert len(rows["fid"]) == 3  # the last row that begins so: best and worst
    assert max(map(len, ran.out.splitlines())) <= 80


def test_best_and_worst_follow_the_direction(run, scores):
    ran = run("show", "scores", "metric=fid")
    means = scores["fid"].full_means
    best, worst = scores.variant_names[means.argmin()], scores.variant_names[means.argmax()]
    assert ran.out.splitlines()[-1].split() == ["fid", best, worst]
    table_row = next(line for line in ran.out.splitlines() if line.startswith("fid "))
    assert table_row.split()[:5] == ["fid", "lower", "24", "of", "24"]
    assert "clip" not in ran.out


def test_a_manifest_and_a_run(run, scores):
    run("search", "scores=scores", "metric=clip", "out=mine")
    for path in ("mine/subset.json", "mine"):
        ran = run("show", path)
        assert ran.code == 0, ran.err
        assert "made-up-0-clip-balanced-5: 5 prompts of made-up-0" in " ".join(ran.out.split())
        assert "measured on sets chosen in the same way, not on this one" in ran.out
        assert "12 search variants: below 20" in ran.out
        assert "method:   balanced(noise_weight=" in ran.out
        assert "ids:      p" in ran.out


def test_a_folder_of_runs(run, tmp_path, scores, monkeypatch):
    monkeypatch.delenv("COLUMNS")  # as in a pipe: no name is too long
    for method in ("balanced", "random"):
        run("search", "scores=scores", "metric=clip", f"method={method}")
    ran = run("show", "flasheval-runs")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].split()[:3] == ["run", "method", "size"]
    assert sum("balanced" in line for line in lines) >= 1
    (damaged,) = (tmp_path / "flasheval-runs/search").glob("*random*/subset.json")
    damaged.write_text("{}")
    ran = run("show", "flasheval-runs/search")
    assert ran.code == 0
    assert "not a subset manifest" in " ".join(ran.out.split())


def test_a_score_file(run, tmp_path):
    (tmp_path / "clip.csv").write_text("prompt_id,a,b\n1,0.1,0.2\n2,0.3,0.4\n")
    assert run("show", "clip.csv").code == 0
    long = '{"variant":"a","prompt_id":"1","metric":"m","score":1}\n'
    (tmp_path / "long.json").write_text(long + long.replace('"a"', '"b"'))
    ran = run("show", "path=long.json")
    assert ran.code == 0, ran.err
    assert "2 variants, 1 prompts" in ran.out
    (tmp_path / "a=(b).csv").write_text("prompt_id,a,b\n1,0.1,0.2\n")
    assert run("show", "a=(b).csv").code == 0


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ([], ["path is missing"]),
        (["nowhere"], ["nowhere does not exist"]),
        (["folder"], ["folder holds no scores", "nor is there a run"]),
        (["empty.json"], ["empty.json is empty"]),
        (["cut.json"], ["cut.json"]),
        (["damaged.json"], ["damaged.json", "content_hash is missing"]),
        (["scores", "metric=clipp"], ["'clipp'", "'clip'"]),
        (["scores", "pth=3"], ["pth", "'path'"]),
        (["latin.json"], ["latin.json is not UTF-8"]),
    ],
)
def test_a_mistake_is_one_line(run, tmp_path, scores, words, parts):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "cut.json").write_text('{"format": "flasheval-sub')
    (tmp_path / "latin.json").write_bytes(b'"caf\xe9"')
    (tmp_path / "damaged.json").write_text('{"format": "flasheval-subset", "schema_version": 1}')
    run("show", *words).one_line(*parts)


def test_the_shipped_scores_have_a_name(run):
    ran = run("show", "miniature")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("64 variants, 2,000 prompts of miniature")


def test_twins_digits_and_gaps_are_told(run, tmp_path):
    lines = []
    for i in range(40):
        w, x, z = (1e6 + i % step / 100 for step in (7, 3, 5))
        lines.append(f"p{i},{w},{x},{w}," + (f"{z}" if i else ""))
    (tmp_path / "a.csv").write_text("\n".join(["prompt_id,w,x,y,z", *lines]) + "\n")
    ran = run("show", str(tmp_path / "a.csv"))
    said = " ".join(ran.out.split())
    assert "warning: the same scores under several names, each counted once: w = y" in said
    assert "warning: a: its scores need more digits than float32 has" in said
    assert "incomplete=prompts would keep all 4 on 39 of 40 prompts" in said


def test_a_metric_of_some_prompts_is_shown_on_these(run, tmp_path):
    rows = ["prompt_id,model,clip,ocr"]
    rows += [f"p{p},m{v},{v + p / 10},{v if p < 4 else ''}" for p in range(10) for v in range(3)]
    (tmp_path / "scores.csv").write_text("\n".join(rows) + "\n")
    ran = run("show", str(tmp_path / "scores.csv"))
    assert ran.code == 0, ran.err
    said = " ".join(ran.out.split())
    assert "ocr higher 3 of 3 0% 0 to 2" in said
    assert "ocr m2 m0" in said
    assert "1 of 2 metrics are measured on a part of the 10 prompts (ocr on 4): search" in said


def test_a_list_of_prompts(run, tmp_path):
    rows = ["id,prompt,kind", *(f"{n},a cat {n},{'fur' if n % 2 else 'tail'}" for n in range(8))]
    (tmp_path / "cats.csv").write_text("\n".join([*rows, f"8,{'word ' * 80},fur"]))
    ran = run("show", "prompts=cats.csv")
    assert ran.code == 0, ran.err
    out = " ".join(ran.out.split())
    assert "9 prompts of cats, like no list that flasheval knows" in out
    assert "kind fur 5" in out
    assert "warning: about 1 of 9 texts are longer than the 77 tokens CLIP reads" in out
    assert "word word" not in out


def test_something_must_be_named(run):
    run("show").one_line("path is missing", "prompts=FILE")


def test_quality_against_seconds(run, scores, tmp_path):
    assert "seconds" not in run("show", "scores").out
    times = {name: ImageTime(1 + row / 8, "A", 4) for row, name in enumerate(scores.variant_names)}
    times.pop(scores.variant_names[3])
    scores.with_times(times).save(tmp_path / "timed")
    ran = run("show", "timed")
    assert (ran.code, ran.err) == (0, "")
    said = " ".join(ran.out.split())
    assert "seconds an image: 1 to 3.88, of 23 of 24 variants, on A, in batches of 4" in said
    assert "frontier of clip" in ran.out
    assert "frontier of fid" in ran.out
    assert ran.out.count("seconds an image (logarithmic)") == 2
    assert max(map(len, ran.out.splitlines())) <= 80
    (tmp_path / "c.csv").write_text(f"model,s\n{scores.variant_names[0]},2\n")
    ran = run("show", "timed", "metric=clip", "seconds=c.csv")
    assert "seconds an image: 2 to 2, of 1 of 24 variants" in " ".join(ran.out.split())
    assert "warning: c.csv: none for 23 of 24 variants" in ran.out
    scores.with_times({**times, scores.variant_names[3]: ImageTime(1.0, "B", 4)}).save(
        tmp_path / "uneven"
    )
    assert "measured on 2 devices" in " ".join(run("show", "uneven").out.split())
