"""A leaderboard with seconds: frontier, leads and their noise, tables, files and limits."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

import flasheval
from flasheval.base.drawing.terminal import as_text
from flasheval.base.errors import SettingError
from flasheval.generators.image_time import ImageTime
from flasheval.scores import ScoreTable
from flasheval.scores.leaderboard.frontier import cost_plot, frontier_figure, steps_of

# Of six models: cheap is fast, better and best are worth their time (best hardly), slow is not,
# even costs and scores what better does, and untimed has no seconds.
NAMES = ["slow", "best", "cheap", "better", "even", "untimed"]
SECONDS = {"slow": 5.0, "best": 4.0, "cheap": 0.5, "better": 2.0, "even": 2.0}


def _table(higher=True, metrics=("m",), families=(), evaluations=True):
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(6, 200))
    noise[4] = noise[3]
    noise[1] = noise[3] + rng.normal(size=200)
    noise -= noise.mean(axis=1, keepdims=True)  # the means are as said
    values = np.array([[0.5], [3.01], [1.0], [3.0], [3.0], [2.0]]) + noise
    factors = {name: {"family": kind} for name, kind in zip(NAMES, families, strict=False)}
    for name in NAMES[:4] if evaluations else ():
        factors.setdefault(name, {})["evaluations"] = 10 * int(2 * SECONDS[name])
    table = ScoreTable.from_arrays(
        dict.fromkeys(metrics, values if higher else -values),
        variants=NAMES,
        prompts=range(200),
        higher_is_better=dict.fromkeys(metrics, higher),
        factors=factors,
    )
    return table.with_times({name: ImageTime(s, "A", 8) for name, s in SECONDS.items()})


def _board(**settings):
    kinds = {key: settings.pop(key) for key in ("higher", "metrics", "families", "evaluations")
             if key in settings}  # fmt: skip
    return flasheval.rank(_table(**kinds), draws=500, **settings)


@pytest.mark.parametrize("higher", [True, False])
def test_the_frontier_and_what_its_leads_are_worth(higher):
    board = _board(higher=higher)
    one = board["m"]
    steps = steps_of(one)
    assert board.frontier == {"m": steps}
    assert [step.variant for step in steps] == ["cheap", "better", "even", "best"]
    assert [step.seconds for step in steps] == [0.5, 2.0, 2.0, 4.0]
    assert [step.evaluations for step in steps] == [10, 40, None, 80]
    assert (steps[0].lead, steps[0].times, steps[0].apart) == (None, None, None)
    assert steps[1].lead == pytest.approx(2.0, abs=1e-4)
    assert steps[1].times == 4.0
    assert [step.apart for step in steps[1:]] == [True, False, False]
    at = [one.variants.index(step.variant) for step in steps]
    told = [bool(one.separated[a, b]) for a, b in zip(at[1:], at, strict=False)]
    assert told == [True, False, False]


def test_without_seconds_nothing_is_said_of_them():
    table = _table()
    plain = ScoreTable.from_arrays(
        table["m"].values, variants=NAMES, prompts=range(200), metric="m"
    )
    board = flasheval.rank(plain, draws=500)
    assert board.frontier == {"m": ()}
    assert not board["m"].on_frontier.any()
    assert len(board.view().figures) == len(board.view().tables) == 1
    assert frontier_figure(board.standings) is None
    assert "s/image" not in str(board)
    assert board.to_csv().splitlines()[0].endswith(",groups,prompts")


def test_rows_have_seconds_evaluations_and_the_frontiers_mark():
    view = _board().view()
    whole, steps = view.tables
    assert whole.titles[:5] == ("rank", "variant", "s/image", "evals", "mean")
    rows = {row[1]: row for row in whole.rows}
    assert rows["best"][2:5] == ("4", "80", "* 3.01")
    assert rows["untimed"][2:4] == ("-", "-")
    assert {name for name, row in rows.items() if row[4].startswith("* ")} == {
        *("cheap", "better", "even", "best")
    }
    assert [row[:2] for row in steps.rows] == [
        *(("A", "cheap"), ("B", "better"), ("C", "even"), ("D", "best"))
    ]
    assert [row[-1] for row in steps.rows] == ["-", "yes", "no", "no"]
    assert "evals" not in str(_board(evaluations=False))
    text = as_text(_board().view(), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "A to D frontier" in text
    assert "within noise" in text


def test_several_metrics_hold_80_columns_and_long_names_are_whole_at_any_width():
    table = _table(metrics=("first", "second", "third"))
    names = [name * 12 for name in NAMES]
    long = ScoreTable.from_arrays(
        {m: table[m].values for m in table.metrics}, variants=names, prompts=range(200)
    ).with_times({name * 12: ImageTime(s) for name, s in SECONDS.items()})
    for one in (table, long):
        board = flasheval.rank(one, draws=500)
        for width in (80, 40, None):
            text = as_text(board.view(), width=width)
            assert set(one.variant_names) <= set(text.split()), width
        lines = as_text(board.view(), width=80).splitlines()
        assert max(map(len, lines)) <= max(80, *(len(f"1  {name}") for name in one.variant_names))
        assert len(board.frontier) == 3
        (ranks, costs) = board.view().figures
        assert len(ranks.panels) == len(costs.panels) == 2


def test_families_have_marks_of_their_own():
    one = _board(families=("gan", "diffusion", "gan", "diffusion", "gan"))["m"]
    plot = cost_plot(one)
    assert {series.name for series in plot.series} == {"diffusion", "gan", "frontier"}
    points = {name for series in plot.series[:-1] for name in series.labels}
    assert points == set(SECONDS)  # untimed is nowhere
    assert plot.series[-1].labels == ["cheap", "better", "even", "best"]
    assert [series.name for series in cost_plot(_board()["m"]).series] == ["variants", "frontier"]


def test_files(tmp_path):
    board = _board()
    folder = board.save(tmp_path)
    with open(folder / "rank.csv", encoding="utf-8", newline="") as file:
        rows = {row["variant"]: row for row in csv.DictReader(file)}
    keys = ("seconds", "evaluations", "frontier")
    assert [rows["better"][key] for key in keys] == ["2.0", "40", "yes"]
    assert [rows["untimed"][key] for key in keys] == ["", "", ""]
    (found,) = json.loads((folder / "rank.json").read_text())["standings"]
    by_name = {row["variant"]: row for row in found["variants"]}
    assert [by_name["best"][key] for key in keys] == [4.0, 80, True]
    assert [by_name["untimed"][key] for key in keys] == [None, None, False]
    assert [step["variant"] for step in found["frontier"]] == ["cheap", "better", "even", "best"]
    text = (folder / "rank.md").read_text()
    assert text.index("](rank.png)") < text.index("](rank-seconds.png)")
    with Image.open(folder / "rank-seconds.png") as image:
        assert image.size == (1600, 1040)
    plain = flasheval.rank(_table(), seconds={"slow": 1}, draws=100)
    assert plain["m"].seconds.size
    untimed = ScoreTable.from_arrays(np.eye(3), variants=list("abc"), prompts=range(3))
    flasheval.rank(untimed, draws=100).save(tmp_path)
    assert not (folder / "rank-seconds.png").exists()  # an older one would lie


def test_the_best_that_is_fast_enough():
    board = _board(max_seconds=2)
    assert board.max_seconds == 2
    assert set(board["m"].variants) == {"cheap", "better", "even"}
    assert board.view().headline == (
        "m, at most 2 s an image: better is first, but not told apart from even."
    )
    assert board.notes == ("max_seconds=2: left out 2 variants as slower, 1 without seconds",)
    alone = _board(max_seconds=0.5)
    assert alone.view().headline == "m, at most 0.5 s an image: cheap is the only variant."
    assert [step.variant for step in alone.frontier["m"]] == ["cheap"]
    assert "A frontier" in str(alone)
    with pytest.raises(SettingError, match=r"the fastest is cheap, 0\.5"):
        _board(max_seconds=0.25)


def test_the_test_of_all_pairs_is_of_those_that_remain():
    few, all_of_them = _board(max_seconds=2)["m"], _board()["m"]
    assert few.pairs == 3
    assert few.critical < all_of_them.critical


def test_several_devices_are_told():
    table = _table().with_times({"cheap": ImageTime(0.5, "B", 8)})
    (note,) = flasheval.rank(table, draws=100).notes
    assert "2 devices" in note
    assert "A (4), B (1)" in note
