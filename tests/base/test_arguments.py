"""Arguments of a wrong type are told in one line, in every public function."""

import copy
import inspect
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from omegaconf import OmegaConf

import flasheval
from flasheval.base.arguments import checked_arguments, checked_class
from flasheval.base.errors import FlashevalError, SettingError
from flasheval.scores.synthetic import synthetic_scores
from flasheval.scores.votes import votes_from_scores
from flasheval.scores.votes.prediction_powered import powered_mean
from flasheval.scores.votes.showing import prompts_to_show
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.library.texts import MissingTextsError

WRONG = [
    *(None, 3, -1, 2.5, float("nan"), "x", "", "a\0b", b"x", True, Path("nothing"), object()),
    *([], [3], [None], ["x"], (1, 2), {}, {"x": 3}, {3: 4}, {"a"}, range(3), np.zeros(3), int),
]
SEARCH = {
    "metric": "quality",
    "splits": "random:1",
    "draws": 2,
    "size": 3,
    "progress": False,
}
VOTES = {
    **{"variants": ("a", "b"), "first": [0, 1], "second": [1, 0], "prompt": [0, 1]},
    **{"outcome": [1, 1], "raters": ("x",), "rater": [0, 0]},
}
FREE = {"once", "generator", "progress", "on_change"}  # would wait for ever, or are called


def light(images: Sequence[Any], prompts: Sequence[str]) -> list[float]:
    return [image.getpixel((0, 0))[0] / 255 for image in images]


def draw(prompts: Sequence[str], seeds: Sequence[int]) -> list[Any]:
    return [np.full((4, 4, 3), 0.5) for _ in prompts]


@pytest.fixture(scope="module")
def calls(tmp_path_factory) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Every public function, with arguments that it takes."""
    place = tmp_path_factory.mktemp("calls")
    table = synthetic_scores(6, 10)
    pets = flasheval.PromptSet("pets", ("1", "2"), texts=("a cat", "a dog"))
    subset = Subset.choose(
        *(pets, [0, 1]),
        name="two",
        metrics=(MetricInfo("light"),),
        method=Method("random"),
        with_texts=True,
    )
    report = flasheval.evaluate(draw, subset, [light])
    found = flasheval.search(table.with_variants(table.variant_names[:4]), **SEARCH)
    scores, prompts, ballots = place / "s.csv", place / "p.txt", place / "v.csv"
    ballots.write_text("model_a,model_b,prompt_id,winner\nx,y,1,a\ny,x,2,tie\n")
    scores.write_text("prompt_id,a,b\n1,0.5,0.25\n2,0.75,0.5\n")
    prompts.write_text("a cat\na dog\n")
    (place / "none").mkdir()
    folder, values, watched = str(place / "out"), np.zeros((2, 2)), {"once": True, "settle": 0.0}
    names = {"variants": ("a", "b"), "prompt_ids": ("1", "2")}
    return {
        "search": (flasheval.search, {"scores": table, "method": "random", **SEARCH}),
        "validate": (
            flasheval.validate,
            {"scores": table, "methods": ["random"], "reference": None, "workers": 1, **SEARCH},
        ),
        "rank": (flasheval.rank, {"scores": table, "draws": 10}),
        "audit": (flasheval.audit, {"subset": found.subset, "scores": table, "draws": 5}),
        "compare": (flasheval.compare, {"first": report, "second": report}),
        "evaluate": (flasheval.evaluate, {"generator": draw, "subset": subset, "scorers": [light]}),
        "load_scores": (flasheval.load_scores, {"source": scores}),
        "load_prompts": (flasheval.load_prompts, {"path": prompts}),
        "load_subset": (flasheval.load_subset, {"source": subset.save(place / "two.json")}),
        "run": (flasheval.run, {"population": {}, "prompts": prompts, "out": folder}),
        "watch": (
            flasheval.watch,
            {"folder": place / "none", "subset": subset, "scorers": [light], "out": folder}
            | watched,
        ),
        "CheckpointMonitor": (flasheval.CheckpointMonitor, {"subset": subset, "scorers": [light]}),
        "PromptSet": (flasheval.PromptSet, {"name": "pets", "ids": ("1",)}),
        "ScoreMatrix": (flasheval.ScoreMatrix, {"metric": "m", "values": values, **names}),
        "ScoreTable": (
            flasheval.ScoreTable,
            {one: getattr(table, one) for one in ("prompts", "variants", "matrices")},
        ),
        "from_arrays": (
            flasheval.ScoreTable.from_arrays,
            {"scores": values, "variants": ["a", "b"], "prompts": ["1", "2"]},
        ),
        "Variant": (flasheval.Variant, {"name": "a"}),
        "Votes": (flasheval.Votes, VOTES | {"prompts": pets}),
        "load_votes": (flasheval.load_votes, {"source": ballots}),
        "Votes.rank": (flasheval.Votes(**VOTES, prompts=pets).rank, {"draws": 10}),
        "Votes.to_scores": (flasheval.Votes(**VOTES, prompts=pets).to_scores, {}),
        "Votes.take": (flasheval.Votes(**VOTES, prompts=pets).take, {"rows": [0]}),
        "Votes.without": (flasheval.Votes(**VOTES, prompts=pets).without, {"names": []}),
        "Votes.merge": (
            flasheval.Votes(**VOTES, prompts=pets).merge,
            {"other": flasheval.Votes(**VOTES, prompts=pets)},
        ),
        "votes_from_scores": (votes_from_scores, {"table": table}),
        "prompts_to_show": (prompts_to_show, {"prompts": pets, "size": 1}),
        "powered_mean": (powered_mean, {"labels": [1.0, 2.0, 4.0], "metric": [1.0, 3.0, 4.0]}),
        "choose": (
            Subset.choose,
            {"prompts": pets, "indices": [0], "name": "x", "metrics": (), "method": Method("r")},
        ),
        "predict": (subset.predict, {"scores": {"light": [0.1, 0.2]}}),
        "difference": (
            subset.difference,
            {one: {"light": [0.1, 0.2]} for one in ("first", "second")},
        ),
        "prefix": (subset.prefix, {"size": 1}),
        "save": (subset.save, {"path": place / "a.json"}),
        "merge": (table.merge, {"other": table}),
        "with_metrics": (table.with_metrics, {"names": ["quality"]}),
        "Report.load": (flasheval.Report.load, {"path": place / "none.json"}),
        "Table.load": (flasheval.ScoreTable.load, {"folder": place}),
        "Validation.load": (flasheval.ValidationReport.load, {"folder": place}),
    }


@pytest.mark.filterwarnings("ignore")
def test_no_wrong_type_ends_in_an_error_from_inside(calls, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    for name, (function, right) in calls.items():
        for parameter in inspect.signature(function).parameters.values():
            if parameter.name in FREE or parameter.kind is parameter.VAR_KEYWORD:
                continue
            for wrong in WRONG:
                try:
                    function(**{**right, parameter.name: wrong})
                except FlashevalError as error:
                    told.append(str(error))
                except Exception as error:
                    raise AssertionError(f"{name}({parameter.name}={wrong!r})") from error
    assert len(told) > 1000
    assert not [line for line in told if "\n" in line or len(line) > 700]


def test_every_public_function_is_looked_at(calls):
    made = {"Comparison", "FlashevalError", "Leaderboard", "Report", "RunResult"}
    made |= {"SearchResult", "Subset", "ValidationReport"}  # by functions, not by hand
    assert set(flasheval.__all__) - made <= set(calls)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: flasheval.load_subset(None), "source=None: expected a text or a path"),
        (lambda: flasheval.compare(None, None), "compare: first=None: expected Report"),
        (lambda: flasheval.load_scores(""), "scores='': expected a file or a folder"),
        (lambda: flasheval.load_scores("a\0b"), "expected a file or a folder"),
        (lambda: flasheval.PromptSet("a", 3), "PromptSet: ids=3: expected a list of texts"),
        (lambda: flasheval.rank(synthetic_scores(4, 6), seed=-1), "seed=-1: expected a whole"),
    ],
)
def test_it_says_what_was_expected(call, said):
    with pytest.raises(FlashevalError) as caught:
        call()
    assert said in str(caught.value)


def test_what_is_right_or_a_bug_is_left_alone():
    @checked_arguments
    def given(
        a: Mapping[str, int] | None = None,
        b: Iterable[float] = (),
        c: Literal["x", 3] = "x",
        d: Callable[[int], int] | None = None,
        e: "Unknown | None" = None,  # noqa: F821 - as one imported for types only
    ) -> None:
        raise ValueError("a bug")

    for right in ({}, {"a": {"x": np.int64(3)}}, {"b": np.ones(2)}, {"b": iter([1])}, {"d": abs}):
        with pytest.raises(ValueError, match="a bug"):
            given(**right)
    for wrong in ({"a": {"x": 2.5}}, {"b": "12"}, {"c": "y"}, {"d": 3}, {"e": 3}):
        with pytest.raises(SettingError, match=f"given: {next(iter(wrong))}="):
            given(**wrong)
    with pytest.raises(TypeError, match="unexpected keyword"):
        given(f=3)


def test_a_class_is_checked_in_all_it_offers():
    @checked_class
    class Made:
        def __init__(self, size: int) -> None:
            self.half = size / 2

        @classmethod
        def named(cls, name: str) -> str:
            return name.upper()

        def times(self, count: int) -> float:
            return self.half * [1, 2][count]

    assert (Made(4).times(1), Made.named("x")) == (4, "X")
    for call in (lambda: Made("x"), lambda: Made.named(3), lambda: Made(4).times("x")):
        with pytest.raises(SettingError, match="expected a "):
            call()


def kinds(of: type[FlashevalError]) -> list[type[FlashevalError]]:
    return [of, *(one for child in of.__subclasses__() for one in kinds(child))]


def test_every_error_can_be_sent_to_another_process():
    made = [kind("a message") for kind in kinds(FlashevalError) if kind is not MissingTextsError]
    made.append(MissingTextsError("a message", ("1",), ("2",)))
    assert len(made) > 5
    for error in made:
        for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - ours
            assert type(again) is type(error)
            assert str(again) == str(error)
            assert vars(again) == vars(error)


CONFIG = """
size: 3
method: {name: random}
scores: {a: [0.5, 0.25], b: [0.75, 0.5]}
names: [x, "${size}"]
lost: ???
broken: ${nowhere}
"""


@checked_arguments
def given(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def types_in(value: Any) -> set[type]:
    """The types of a value and of all in it."""
    parts: Iterable[Any] = ()
    if isinstance(value, Mapping):
        parts = value.values()
    elif isinstance(value, list | tuple):
        parts = value
    return {type(value)}.union(*map(types_in, parts))


def test_a_configuration_is_read_as_plain_data_wherever_it_stands() -> None:
    config = OmegaConf.create(CONFIG)
    found = given(config.method, names=config.names, inside=[{"a": (config.scores,)}], size=3)
    scores = {"a": [0.5, 0.25], "b": [0.75, 0.5]}
    assert found == (
        ({"name": "random"},),
        {"names": ["x", 3], "inside": [{"a": (scores,)}], "size": 3},
    )
    assert types_in(found) <= {tuple, dict, list, str, int, float}
    untouched = [1, {"a": (2,)}]
    assert given(untouched)[0][0] is untouched


@pytest.mark.parametrize(
    ("key", "said"),
    [("lost", "Missing mandatory value: lost"), ("broken", "Interpolation key 'nowhere' not")],
)
def test_a_configuration_that_cannot_be_read_is_one_line(key: str, said: str) -> None:
    config = OmegaConf.create(CONFIG)
    with pytest.raises(SettingError, match=f"^given: the configuration.*{said}") as caught:
        given([OmegaConf.masked_copy(config, [key, "size"])])
    assert "\n" not in str(caught.value)


def test_public_functions_take_what_a_configuration_gives() -> None:
    table = synthetic_scores(8, 30)
    settings = {**SEARCH, "method": {"name": "random"}, "require": [table.prompts.ids[1]]}
    config = OmegaConf.create({**settings, "metric": ["quality"], "drop": []})
    found = flasheval.search(table, **config)
    assert found.subset == flasheval.search(table, **settings).subset
    assert isinstance(found.subset.to_dict(), dict)  # nothing of OmegaConf in what is saved

    methods = OmegaConf.create([{"name": "random"}, "frequency"])
    few = {"splits": "random:1", "draws": 2, "workers": 1, "progress": False}
    flasheval.validate(table, methods=methods, size=OmegaConf.create([3]), **few)
    assert flasheval.rank(table, metric=OmegaConf.create(["quality"]), draws=10).standings
