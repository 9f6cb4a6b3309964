import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.scores import ScoreTable
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.splits import (
    Split,
    describe_splits,
    make_splits,
    on_other_seeds,
    split_once,
    with_images_used,
)
from flasheval.selection.images import image_halves

TABLE = synthetic_scores(n_variants=24, n_prompts=5)


def _sound(splits, n):
    """Both sides of every split: ascending, disjoint, at least two variants."""
    for split in splits:
        for side in (split.search, split.held_out):
            assert side.dtype == np.int64
            assert len(side) >= 2
            assert (np.diff(side) > 0).all()
            assert side[0] >= 0
            assert side[-1] < n
        assert not np.intersect1d(split.search, split.held_out).size


@settings(deadline=None)
@given(st.integers(4, 72), st.integers(1, 6), st.integers(0, 2000))
def test_random_halves_are_those_of_the_design(n, count, first):
    table = synthetic_scores(n_variants=n, n_prompts=2)
    splits = make_splits(f"random:{count}@{first}", table)
    _sound(splits, n)
    assert [split.name for split in splits] == [f"random:{first + i}" for i in range(count)]
    for i, split in enumerate(splits):
        chosen = np.random.default_rng(first + i).permutation(n)[: n // 2]
        assert sorted(chosen) == split.search.tolist()
        assert len(split.search) + len(split.held_out) == n


def test_random_halves_start_at_seed_0():
    assert [split.name for split in make_splits("random:3", TABLE)] == [
        "random:0",
        "random:1",
        "random:2",
    ]


@settings(deadline=None)
@given(st.integers(2, 22), st.integers(1, 4), st.integers(0, 50))
def test_samples_hold_everything_else_out(size, count, first):
    splits = make_splits(f"sample:{size}x{count}@{first}", TABLE)
    _sound(splits, 24)
    assert len(splits) == count
    for i, split in enumerate(splits):
        assert split.name == f"sample:{size}:{first + i}"
        assert sorted(np.random.default_rng(first + i).permutation(24)[:size]) == list(split.search)
        assert len(split.search) + len(split.held_out) == 24


def test_one_sample_needs_no_count():
    (split,) = make_splits("sample:12", TABLE)
    assert (len(split.search), len(split.held_out)) == (12, 12)


def test_groups_leave_one_value_out_at_a_time():
    splits = make_splits("group:scheduler", TABLE)
    _sound(splits, 24)
    assert [split.name for split in splits] == [
        "scheduler=DDIM",
        "scheduler=PNDM",
        "scheduler=DPM",
    ]
    for split in splits:
        left = {TABLE.variants[row].factors["scheduler"] for row in split.held_out}
        seen = {TABLE.variants[row].factors["scheduler"] for row in split.search}
        assert split.name == f"scheduler={left.pop()}"
        assert not left
        assert len(seen) == 2


def test_pairs_of_six_groups_are_fifteen_splits_in_order():
    table = synthetic_scores(n_variants=72, n_prompts=2)
    six = [variant.factors["base_model"] for variant in table.variants]
    kept = list(dict.fromkeys(six))[:6]
    table = table.with_variants([row for row, base in enumerate(six) if base in kept])
    splits = make_splits("group:base_model:2", table)
    _sound(splits, len(table))
    assert [split.name for split in splits] == [
        f"base_model={one}+{two}" for one, two in combinations(kept, 2)
    ]
    assert len(splits) == 15
    assert all(len(split.held_out) == 18 for split in splits)


def test_values_are_held_out():
    (split,) = make_splits("value:scheduler=PNDM,DPM", TABLE)
    assert split.name == "scheduler=PNDM+DPM"
    assert {TABLE.variants[row].factors["scheduler"] for row in split.search} == {"DDIM"}
    (steps,) = make_splits("value:steps=10", synthetic_scores(48, 2))
    assert len(steps.held_out) == 24


def test_variants_without_the_factor_are_a_group_of_their_own(make_table):
    table = make_table(12)
    for variant in table.variants[:4]:
        variant.factors.pop("steps", None)
    splits = make_splits("group:steps", table)
    assert [split.name for split in splits] == ["steps=None", "steps=10"]


NAMES = list(TABLE.variant_names)


@pytest.mark.parametrize(
    "spec",
    [
        [0, 1, 5],
        (5, 1, 0, 1),
        np.array([0, 1, 5]),
        [NAMES[0], NAMES[1], NAMES[5]],
        {"search": [0, NAMES[1], 5]},
        {"search": [0, 1, 5], "held_out": None, "name": "explicit"},
        Split("explicit", np.array([0, 1, 5]), np.setdiff1d(np.arange(24), [0, 1, 5])),
    ],
)
def test_a_list_of_variants_is_the_search_side(spec):
    (split,) = make_splits(spec, TABLE)
    _sound([split], 24)
    assert split.name == "explicit"
    assert split.search.tolist() == [0, 1, 5]
    assert len(split.held_out) == 21


def test_both_sides_may_be_given():
    (split,) = make_splits({"search": [3, 4], "held_out": [9, NAMES[8]], "name": "mine"}, TABLE)
    assert (split.name, split.search.tolist(), split.held_out.tolist()) == ("mine", [3, 4], [8, 9])


def test_descriptions_may_be_mixed_in_a_list():
    splits = make_splits(["random:2", "group:scheduler", {"search": [0, 1]}, [5, 6]], TABLE)
    assert [split.name for split in splits] == [
        "random:0",
        "random:1",
        "scheduler=DDIM",
        "scheduler=PNDM",
        "scheduler=DPM",
        "explicit 1",
        "explicit 2",
    ]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ([0, 1, 5], ["mine"]),
        ([NAMES[0], NAMES[1], NAMES[5]], ["mine"]),
        ({"search": [0, 1, 5]}, ["mine"]),
        ({"search": [0, 1, 5], "held_out": [7, 8], "name": "its"}, ["its"]),
        ([[0, 1, 5], {"search": [0, 1, 5]}], ["mine 1", "mine 2"]),
    ],
)
@pytest.mark.parametrize("as_text", [True, False])
def test_files_hold_lists_or_mappings(tmp_path, content, names, as_text):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(content))
    splits = make_splits(str(path) if as_text else path, TABLE)
    assert [split.name for split in splits] == names
    assert all(split.search.tolist() == [0, 1, 5] for split in splits)


def test_positions_and_names_count_before_incomplete_variants_were_left_out():
    kept = TABLE.with_variants([1, 2, 4, 7, 8, 9])
    for spec in ([0, 1, 2, 7], [NAMES[0], NAMES[1], NAMES[2], NAMES[7]]):
        (split,) = make_splits(spec, kept, given=NAMES)
        assert [kept.variant_names[row] for row in split.search] == [NAMES[1], NAMES[2], NAMES[7]]
        assert [kept.variant_names[row] for row in split.held_out] == [NAMES[4], NAMES[8], NAMES[9]]
    (drawn,) = make_splits("random:1", kept, given=NAMES)
    assert sorted(np.random.default_rng(0).permutation(6)[:3]) == drawn.search.tolist()


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        ("random", SettingError, "splits=random: expected random:10, .*mean 'random'"),
        ("randm:10", SettingError, "did you mean 'random'"),
        ("random:", SettingError, "expected random:10"),
        ("random:ten", SettingError, "splits=random:ten: 'ten' is not a whole number"),
        ("random:-1", SettingError, "'-1' is not a whole number"),
        ("random:\N{SUPERSCRIPT TWO}", SettingError, "is not a whole number"),
        ("random:3@x", SettingError, "'x' is not a whole number"),
        ("random:0", SettingError, "splits=random:0: no split is left"),
        ("random:9999999999999", SettingError, "is not a whole number"),
        ("sample:23x2", SettingError, "'sample:23:0' leaves 1 held-out variants of 24"),
        ("sample:1x2", SettingError, "leaves 1 search variants"),
        ("sample:x2", SettingError, "'' is not a whole number"),
        ("group:base", SettingError, "no variant has the factor 'base'; .*mean 'base_model'"),
        ("group:scheduler:3", SettingError, "'scheduler' has 3 values .*fewer than all"),
        ("group:scheduler:0", SettingError, "leave out at least 1"),
        ("group:scheduler:two", SettingError, "'two' is not a whole number"),
        ("value:scheduler=DDIN", SettingError, "no variant has scheduler=DDIN.*mean 'DDIM'"),
        ("value:scheduler", SettingError, "no variant has scheduler="),
        ("value:nothing=1", SettingError, "no variant has the factor 'nothing'"),
        ("value:scheduler=DDIM,PNDM,DPM", SettingError, "leaves 0 search variants"),
        ("nowhere.json", DataError, "nowhere.json does not exist"),
        (Path("nowhere"), DataError, "nowhere does not exist"),
        ([], SettingError, r"splits=\[\]: expected a text such as"),
        (5, SettingError, "splits=5: expected a text"),
        (None, SettingError, "splits=None: expected a text"),
        ([0, 99], DataError, "99 is neither a variant's name nor a position from 0 to 23"),
        ([-1, 1], DataError, "-1 is neither"),
        ([NAMES[0], "alpha/DDIM11"], DataError, "no variant is named 'alpha/DDIM11'.*mean"),
        ([0], SettingError, "'explicit' leaves 1 search variants"),
        ({"held_out": [0, 1]}, SettingError, "needs 'search'"),
        (
            {"search": [0, 1], "heldout": [2, 3]},
            SettingError,
            "no 'heldout', only .*mean 'held_out",
        ),
        ({"search": "alpha"}, SettingError, "expected a list of variants, got 'alpha'"),
        ({"search": [0, 1], "held_out": [1, 2]}, SettingError, "variant number 2 is on both sides"),
        ({"search": [0, 1], "held_out": [2]}, SettingError, "leaves 1 held-out"),
        ({"search": [0, 1.5]}, DataError, "1.5 is neither"),
        (Split("s", np.array([0, 1]), np.array([1, 2])), SettingError, "on both sides"),
        (Split("s", np.array([1, 0]), np.array([3, 4])), SettingError, "ascending and each once"),
        (Split("s", np.array([0, 1]), np.array([3, 24])), SettingError, "positions from 0 to 23"),
    ],
)
def test_what_cannot_be_read_is_one_line(spec, error, words):
    with pytest.raises(error, match=words) as caught:
        make_splits(spec, TABLE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[",
        "{}",
        "3",
        '"random:10"',
        "[[0, 1], 3]",
        "[null]",
        '[["splits.json"]]',
        '["a"]',
        "[]",
    ],
)
def test_files_that_cannot_be_read_are_one_line(tmp_path, content):
    path = tmp_path / "splits.json"
    path.write_text(content)
    with pytest.raises(FlashevalError) as caught:
        make_splits(path, TABLE)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_or_a_folder_is_one_line(tmp_path):
    (tmp_path / "splits.json").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        make_splits(tmp_path / "splits.json", TABLE)
    with pytest.raises(DataError, match="is a folder"):
        make_splits(tmp_path, TABLE)


def test_descriptions_name_no_folder():
    assert describe_splits("random:10") == "random:10"
    assert describe_splits("/somewhere/else/official.json") == "official.json"
    assert describe_splits(Path("/somewhere/else/official.txt")) == "official.txt"
    assert describe_splits([0, 1]) == "explicit"


def test_the_official_file_is_the_authors_split(shared_data, diffusiondb_table):
    (split,) = make_splits(shared_data / "official-train-ids.json", diffusiondb_table)
    assert split.name == "official-train-ids"
    assert (len(split.search), len(split.held_out)) == (39, 39)
    assert split.search.tolist() == sorted(
        json.loads((shared_data / "official-train-ids.json").read_text())
    )


def test_pairs_of_the_official_base_models(diffusiondb_table):
    splits = make_splits("group:base_model:2", diffusiondb_table)
    assert len(splits) == 15
    _sound(splits, 78)


# --- twins ---------------------------------------------------------------------------------------


def _twins_apart(split, first):
    """No variant on a side has a twin on the other."""
    assert not np.intersect1d(first[split.search], first[split.held_out]).size


@pytest.fixture(scope="module")
def doubled(with_twins):
    """Twenty variants on 40 prompts, half of them twice."""
    return with_twins(synthetic_scores(20, 40), range(0, 20, 2))


@pytest.mark.parametrize(
    "spec",
    [
        "random:10",
        "sample:8x10",
        "group:base_model",
        "group:base_model:2",
        "group:scheduler",
        "value:base_model=again",
        [{"search": list(range(10))}, {"search": list(range(10)), "held_out": list(range(10, 30))}],
        Split("mine", np.arange(15), np.arange(15, 30)),
    ],
)
def test_twins_never_stand_on_both_sides(doubled, spec):
    splits = make_splits(spec, doubled)
    _sound(splits, 30)
    for split in splits:
        _twins_apart(split, doubled.first_of_twins)


def test_twins_count_once_where_variants_are_drawn(doubled):
    distinct = synthetic_scores(20, 40)
    for spec in ("random:10@1000", "sample:8x10"):
        splits = make_splits(spec, doubled)
        for split, plain in zip(splits, make_splits(spec, distinct), strict=True):
            assert len(split.search) + len(split.held_out) == 30
            once = split_once(split, doubled.first_of_twins)
            np.testing.assert_array_equal(once.search, plain.search)
            np.testing.assert_array_equal(once.held_out, plain.held_out)
            assert split.note == ""


def test_a_list_that_parts_twins_keeps_those_searched_and_says_so(doubled):
    names = doubled.variant_names
    (split,) = make_splits({"search": names[:10], "held_out": names[10:25]}, doubled)
    assert split.search.tolist() == list(range(10))
    assert split.held_out.tolist() == list(range(10, 20))
    assert split.note == (
        f"split 'explicit': {names[0]}-again, {names[2]}-again, {names[4]}-again and 2 more left "
        "out of those held out, as they are searched under another name"
    )


def test_a_family_that_is_held_out_takes_its_twins_out_of_the_search(doubled):
    (split,) = make_splits("value:base_model=again", doubled)
    assert split.held_out.tolist() == list(range(20, 30))
    assert split.search.tolist() == list(range(1, 20, 2))
    assert "left out of the search, as they are held out under another name" in split.note


def test_a_side_of_twins_alone_is_too_small(doubled):
    with pytest.raises(SettingError, match="leaves 1 held-out variants of 20"):
        make_splits({"search": list(range(1, 20)), "held_out": [0, 20]}, doubled)


def test_twins_may_be_told(doubled):
    none = np.arange(30)
    (split,) = make_splits("random:1", doubled, twins=none)
    assert sorted(np.random.default_rng(0).permutation(30)[:15]) == split.search.tolist()
    table = synthetic_scores(4, 3)
    (split,) = make_splits("random:1", table, twins=np.array([0, 1, 2, 3]))
    assert len(split.search) == 2


def test_the_official_splits_stay(diffusiondb_table):
    for k, split in enumerate(make_splits("random:5", diffusiondb_table)):
        chosen = np.random.default_rng(k).permutation(78)[:39]
        assert sorted(chosen) == split.search.tolist()


def _images(n_variants=12, n_prompts=6, images=3, gone=()):
    """A table with several images; `gone` are (variant, prompt, image) that are missing."""
    scores = np.random.default_rng(0).normal(size=(n_variants, n_prompts, images))
    for cell in gone:
        scores[cell] = np.nan
    names = [f"v{row}" for row in range(n_variants)]
    return ScoreTable.from_arrays(scores, variants=names, prompts=range(n_prompts))


def test_other_seeds_cross_with_any_kind_of_split():
    table = synthetic_scores(24, 5, images=2)
    for text in ("random:3", "sample:6x2@5", "group:scheduler", "value:scheduler=DPM"):
        plain, crossed = make_splits(text, table), make_splits(f"{text}+seeds", table)
        for one, other in zip(plain, crossed, strict=True):
            assert other.name == f"{one.name}+seeds"
            assert other.images == image_halves(2)
            assert other.other_seeds
            assert not one.other_seeds
            np.testing.assert_array_equal(one.search, other.search)
            np.testing.assert_array_equal(one.held_out, other.held_out)
            assert one.groups == other.groups
    both = make_splits(["random:2", "random:2+seeds"], table)
    assert [split.other_seeds for split in both] == [False, False, True, True]
    assert describe_splits("lists/official.json+seeds") == "official.json+seeds"


def test_seeds_alone_search_and_judge_every_variant():
    (split,) = make_splits("seeds", synthetic_scores(24, 5, images=3))
    assert split.name == "seeds"
    assert split.search.tolist() == split.held_out.tolist() == list(range(24))
    assert split.images == image_halves(3)
    assert "not new variants" in split.note


@pytest.mark.parametrize("text", ["+seeds", "seeds+seeds", "random:2+seeds+seeds"])
def test_other_seeds_once(text):
    with pytest.raises(SettingError, match="once behind other splits"):
        make_splits(text, synthetic_scores(24, 5, images=2))


@pytest.mark.parametrize("text", ["seeds", "random:2+seeds"])
def test_one_image_a_prompt_has_no_other_seeds(text):
    with pytest.raises(
        SettingError, match=r"the scores have one image a prompt; .* or use splits="
    ):
        make_splits(text, TABLE)


def test_a_variant_that_lacks_a_half_is_left_out_and_named():
    table = _images(gone=[(3, 2, 2), (5, 0, 0), (5, 0, 1), (7, 1, 0)])  # 7 has image 1 there
    (split,) = make_splits("random:1+seeds", table)
    assert sorted([*split.search, *split.held_out]) == [0, 1, 2, 4, 6, 7, 8, 9, 10, 11]
    assert "v3, v5 left out: images of some prompts are missing" in split.note
    every = make_splits("seeds", table)[0]
    assert len(every.search) == 10


def test_twins_stay_together_on_other_seeds():
    table = _images(n_variants=8, n_prompts=12)
    images = np.concatenate([table["score"].images, table["score"].images[:2]])
    names = [f"v{row}" for row in range(10)]
    table = ScoreTable.from_arrays(images, variants=names, prompts=range(12))
    first = table.first_of_twins
    assert first[8:].tolist() == [0, 1]
    for split in make_splits("random:4+seeds", table):
        assert not np.intersect1d(first[split.search], first[split.held_out]).size
    once = split_once(make_splits("seeds", table)[0], first)
    assert once.search.tolist() == list(range(8))
    assert once.other_seeds


def test_subsets_are_judged_by_as_many_images_as_will_be_used():
    table = _images(images=4, gone=[(2, 3, 0)])
    plain = Split("a", np.arange(6), np.arange(6, 12))
    assert with_images_used(plain, table, None) is plain
    assert with_images_used(plain, table, 4).images is None
    one = with_images_used(plain, table, 1)
    assert (one.images.searched, one.images.judged) == (None, (0,))
    assert one.search.tolist() == [0, 1, 3, 4, 5]  # without the one that lacks its first image
    other = on_other_seeds(plain, table)
    assert with_images_used(other, table, 1).images.judged == (2,)
    assert with_images_used(other, table, 9).images.judged == (2, 3)
