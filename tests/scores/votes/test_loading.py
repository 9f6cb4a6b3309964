"""Votes in every layout give the same arrays; a bad row is one line with its place."""

import json

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.prompts import PromptSet, text_hash

ROWS = [  # model a, model b, prompt, winner, rater, left
    ("sd15", "sdxl", "p1", "b", "ann", "a"),
    ("sdxl", "flux", "p1", "a", "bob", "b"),
    ("sd15", "flux", "p2", "tie", "ann", "b"),
    ("flux", "sd15", "p2", "both_bad", "bob", "a"),
]
NAMES = ("model_a", "model_b", "prompt_id", "winner", "rater", "left")


def write_csv(path, names, rows):
    path.write_text("\n".join(",".join(map(str, row)) for row in [names, *rows]) + "\n")
    return path


def check(votes, *, raters=True, left=True, bad=True):
    assert votes.variants == ("sd15", "sdxl", "flux")
    assert votes.prompts.ids == ("p1", "p2")
    assert votes.first.tolist() == [0, 1, 0, 2]
    assert votes.second.tolist() == [1, 2, 2, 0]
    assert votes.prompt.tolist() == [0, 0, 1, 1]
    assert votes.outcome.tolist() == [-1, 1, 0, 0]
    if bad:
        assert votes.both_bad.tolist() == [False, False, False, True]
    if raters:
        assert votes.raters == ("ann", "bob")
        assert votes.rater.tolist() == [0, 1, 0, 1]
    if left:
        assert votes.left.tolist() == [1, -1, -1, 1]


def test_a_table_with_its_usual_names(tmp_path):
    check(flasheval.load_votes(write_csv(tmp_path / "v.csv", NAMES, ROWS)))


@pytest.mark.parametrize(
    "winners",
    [
        ("model_b", "model_a", "tie", "tie (bothbad)"),
        ("sdxl", "sdxl", "Tie", "both bad"),
        ("B", "A", "equal", "neither"),
        ("right", "right", "tie", "bothbad"),  # by who was shown left
        ("second", "first", "draw", "none"),
    ],
)
def test_the_many_words_for_a_winner(tmp_path, winners):
    rows = [(*row[:3], word, *row[4:]) for row, word in zip(ROWS, winners, strict=True)]
    check(flasheval.load_votes(write_csv(tmp_path / "v.csv", NAMES, rows)))


@pytest.mark.parametrize("numbers", [(2, 1, 0, 0), (-1, 1, 0, 0)])
def test_numbers_for_a_winner(tmp_path, numbers):
    rows = [(*row[:3], one, *row[4:]) for row, one in zip(ROWS, numbers, strict=True)]
    check(flasheval.load_votes(write_csv(tmp_path / "v.csv", NAMES, rows)), bad=False)


def test_ones_and_zeros_as_an_arena_writes_them(tmp_path):
    names = (*NAMES[:3], "winner_model_a", "winner_model_b", "winner_tie", "judge")
    hot = [(0, 1, 0), (1, 0, 0), (0, 0, 1), (0, 0, 1)]
    rows = [(*row[:3], *ones, row[4]) for row, ones in zip(ROWS, hot, strict=True)]
    check(flasheval.load_votes(write_csv(tmp_path / "v.csv", names, rows)), left=False, bad=False)
    write_csv(tmp_path / "v.csv", names, [*rows[:2], (*rows[2][:3], 1, 0, 1, "x")])
    with pytest.raises(DataError, match=r"v\.csv row 3: of winner_model_a, .* not one alone is 1"):
        flasheval.load_votes(tmp_path / "v.csv")


def test_pick_a_pic(tmp_path):
    names = ("model_0", "model_1", "caption", "label_0", "label_1", "user_id")
    shares = [(0, 1), (1, 0), (0.5, 0.5), (0.5, 0.5)]
    rows = [
        (row[0], row[1], f"a {row[2]} here", *two, row[4])
        for row, two in zip(ROWS, shares, strict=True)
    ]
    votes = flasheval.load_votes(write_csv(tmp_path / "v.csv", names, rows))
    assert votes.outcome.tolist() == [-1, 1, 0, 0]
    assert votes.raters == ("ann", "bob")
    assert votes.prompts.texts == ("a p1 here", "a p2 here")
    write_csv(tmp_path / "v.csv", names, [*rows, (*rows[0][:3], 0, 0, "x")])
    with pytest.raises(DataError, match="row 5: label_0 and label_1 are not 1 and 0, nor halves"):
        flasheval.load_votes(tmp_path / "v.csv")


def test_an_arena_of_images(tmp_path):
    names = ("prompt", "left_model", "left_image", "right_model", "right_image", "vote_type")
    kinds = {"a": "leftvote", "b": "rightvote", "tie": "tievote", "both_bad": "bothbad_vote"}
    rows = [(p, a, "x.png", b, "y.png", kinds[w]) for a, b, p, w, *_ in ROWS]
    check(
        flasheval.load_votes(write_csv(tmp_path / "v.csv", names, rows)), raters=False, left=False
    )


def test_an_arena_log(tmp_path):
    log = [
        {"question_id": p, "model_a": a, "model_b": b, "winner": w, "judge": r, "tstamp": 1.5e9}
        for a, b, p, w, r, _ in ROWS
    ]
    log[3]["winner"] = "tie (bothbad)"
    for one in log[:2]:
        one["winner"] = f"model_{one['winner']}"
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log))
    check(flasheval.load_votes(path), left=False)
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(map(json.dumps, log)))
    check(flasheval.load_votes(path), left=False)


def test_left_and_right_models(tmp_path):
    names = ("left_model", "right_model", "prompt_id", "choice")
    sides = {"a": "left", "b": "right", "tie": "same", "both_bad": "both bad"}
    rows = [(*row[:3], sides[row[3]]) for row in ROWS]
    votes = flasheval.load_votes(write_csv(tmp_path / "v.csv", names, rows))
    check(votes, raters=False, left=False)
    assert votes.left.tolist() == [1] * 4


def page(**more):
    keys = ("model_a", "model_b", "prompt_id", "winner", "rater", "left")
    votes = [dict(zip(keys, row, strict=True)) for row in ROWS]
    for number, one in enumerate(votes):
        one |= {"seconds": 2.5 * number, "image": number}
    return {"format": "flasheval-votes", "version": 1, "votes": votes, **more}


def test_the_json_of_the_page(tmp_path):
    path = tmp_path / "me.json"
    path.write_text(json.dumps(page(prompt_set="pets")))
    votes = flasheval.load_votes(path)
    check(votes)
    assert votes.prompts.name == "pets"
    assert votes.seconds.tolist() == [0, 2.5, 5, 7.5]
    assert votes.images.tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    path.write_text(json.dumps(page(version=2)))
    with pytest.raises(DataError, match="has the version 2 of flasheval-votes"):
        flasheval.load_votes(path)
    path.write_text(json.dumps(page(votes=[3])))
    with pytest.raises(DataError, match="vote 1: expected an object"):
        flasheval.load_votes(path)
    broken = page()
    broken["votes"][2]["winner"] = "maybe"
    path.write_text(json.dumps(broken))
    with pytest.raises(DataError, match=r"me\.json vote 3: winner is 'maybe'"):
        flasheval.load_votes(path)


def test_on_the_page_a_and_b_are_places_whatever_the_models_are_called(tmp_path):
    votes = [{"model_a": "b", "model_b": "a", "prompt_id": "1", "winner": "a"}]
    path = tmp_path / "me.json"
    path.write_text(json.dumps(page(votes=votes)))
    assert flasheval.load_votes(path).outcome.tolist() == [1]
    with pytest.raises(DataError, match="which may be a place or the model of that name"):
        flasheval.load_votes(votes)
    agreeing = [{"model_a": "a", "model_b": "b", "prompt_id": "1", "winner": "b"}]
    assert flasheval.load_votes(agreeing).outcome.tolist() == [-1]


def test_saved_votes_come_back_as_they_were(tmp_path, votes):
    other = flasheval.load_votes(votes.save(tmp_path / "v.parquet"))
    assert other.variants == votes.variants
    assert other.raters == votes.raters
    assert other.prompts.name == votes.prompts.name
    ids = [np.array(one.prompts.ids)[one.prompt] for one in (votes, other)]
    assert (ids[0] == ids[1]).all()
    for name in ("first", "second", "outcome", "rater", "left"):
        assert (getattr(other, name) == getattr(votes, name)).all()
    check(flasheval.load_votes(flasheval.load_votes(_full(tmp_path)).save(tmp_path / "w.parquet")))


def _full(tmp_path):
    path = tmp_path / "me.json"
    path.write_text(json.dumps(page()))
    return path


def test_everything_is_saved(tmp_path):
    votes = flasheval.load_votes(_full(tmp_path))
    other = flasheval.load_votes(votes.save(tmp_path / "v.parquet"))
    assert other.seconds.tolist() == votes.seconds.tolist()
    assert other.images.tolist() == votes.images.tolist()
    assert other.both_bad.tolist() == votes.both_bad.tolist()


def test_frames_records_lists_and_folders(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS, columns=NAMES)
    check(flasheval.load_votes(frame))
    records = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    check(flasheval.load_votes(records))
    (tmp_path / "all").mkdir()
    paths = [
        write_csv(tmp_path / "all" / f"{rater}.csv", NAMES, [r for r in ROWS if r[4] == rater])
        for rater in ("ann", "bob")
    ]
    joined = flasheval.load_votes(paths)
    assert len(joined) == 4
    assert joined.raters == ("ann", "bob")
    assert joined.counts.votes.sum() == 8
    folder = flasheval.load_votes(tmp_path / "all")
    assert folder.outcome.tolist() == joined.outcome.tolist()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no file of votes"):
        flasheval.load_votes(tmp_path / "empty")


def test_columns_may_be_named(tmp_path):
    names = ("one", "two", "task", "pick", "who", "side")
    path = write_csv(tmp_path / "v.csv", names, ROWS)
    keys = ("model_a", "model_b", "prompt", "winner", "rater", "left")
    check(flasheval.load_votes(path, columns=dict(zip(keys, names, strict=True))))
    with pytest.raises(DataError, match=r"has no column 'pik' for the winner; .* 'pick'"):
        flasheval.load_votes(path, columns={**dict(zip(keys, names, strict=True)), "winner": "pik"})
    with pytest.raises(DataError, match=r"no column 'model_a' for the models; columns="):
        flasheval.load_votes(path)


def test_texts_find_their_prompts(tmp_path):
    names = (*NAMES[:2], "prompt", "winner")
    texts = {"p1": "a red cat", "p2": "a blue dog"}
    rows = [(a, b, texts[p], w) for a, b, p, w, *_ in ROWS]
    path = write_csv(tmp_path / "v.csv", names, rows)
    pets = PromptSet(
        "pets",
        ("p0", "p1", "p2"),
        ("a hen", "a red cat", "a blue dog"),
        extras={"kind": ("x", "y", "y")},
    )
    votes = flasheval.load_votes(path, prompts=pets)
    check(votes, raters=False, left=False)
    assert votes.prompts.extras == {"kind": ("y", "y")}
    alone = flasheval.load_votes(path)
    assert alone.prompts.ids == tuple(text_hash(one)[:16] for one in texts.values())
    assert alone.prompts.texts == tuple(texts.values())
    other = PromptSet("pets", ("p1", "p2"), ("a red cat", "another"))
    ids = write_csv(
        tmp_path / "w.csv",
        (*NAMES[:3], "text", "winner"),
        [(a, b, p, texts[p], w) for a, b, p, w, *_ in ROWS],
    )
    with pytest.raises(DataError, match=r"row 3: prompt 'p2' has another text than prompts="):
        flasheval.load_votes(ids, prompts=other)
    with pytest.raises(DataError, match=r"ids are not in prompt set"):
        flasheval.load_votes(ids, prompts=PromptSet("q", ("p1",), ("a red cat",)))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("sd15", "sd15", "p1", "a", "x", ""), r"row 5: both models are 'sd15'; leave it out"),
        (("sd15", "sdxl", "p1", "maybe", "x", ""), r"row 5: winner is 'maybe'; expected a, b, tie"),
        (("sd15", "sdxl", "p1", "", "x", ""), r"row 5: winner is empty"),
        (("sd15", "sdxl", "p1", "flux", "x", ""), r"row 5: winner is 'flux'"),
        (("sd15", "sdxl", "p1", "left", "x", ""), r"row 5: winner is 'left', but nothing says"),
        (("sd15", "sdxl", "", "a", "x", ""), r"row 5: prompt_id is empty"),
        (("", "sdxl", "p1", "a", "x", ""), r"row 5: model_a is empty"),
        (("sd15", "sdxl", "p1", "a", "x", "tie"), r"row 5: left is 'tie'"),
    ],
)
def test_a_bad_row_is_one_line_with_its_place(tmp_path, row, said):
    path = write_csv(tmp_path / "v.csv", NAMES, [*ROWS, row])
    with pytest.raises(DataError, match=said) as caught:
        flasheval.load_votes(path)
    assert str(caught.value).startswith(f"{path} row 5:")


def test_what_cannot_be_read(tmp_path):
    empty = write_csv(tmp_path / "e.csv", NAMES, [])
    strange = write_csv(tmp_path / "n.csv", (*NAMES[:3], "winner"), [("a", "b", "1", "0.5")])
    for call, kind, said in (
        (lambda: flasheval.load_votes(empty), DataError, "holds no votes"),
        (lambda: flasheval.load_votes(strange), DataError, "the numbers 0.5 do not say who won"),
        (lambda: flasheval.load_votes(""), SettingError, "expected a file or a folder of votes"),
        (lambda: flasheval.load_votes(3), SettingError, "an object of type 'int'"),
        (lambda: flasheval.load_votes(empty, columns={"who": "x"}), SettingError, "no key 'who'"),
        (lambda: flasheval.load_votes(empty, columns={"left": ""}), SettingError, "columns.left="),
        (lambda: flasheval.load_votes(empty, columns=3), SettingError, "columns=3: expected"),
    ):
        with pytest.raises(kind) as caught:
            call()
        assert said in str(caught.value)


def test_two_texts_of_one_id(tmp_path):
    names = (*NAMES[:3], "text", "winner")
    rows = [("a", "b", "1", "a cat", "tie"), ("a", "b", "1", "a dog", "tie")]
    with pytest.raises(DataError, match="row 2: prompt '1' has another text than before"):
        flasheval.load_votes(write_csv(tmp_path / "v.csv", names, rows))


def test_votes_are_taken_left_out_and_joined(votes):
    three = votes.without(["d"])
    assert three.variants == ("a", "b", "c")
    assert (three.counts.wins == votes.counts.wins[:3, :3]).all()
    halves = votes.take(np.arange(150)), votes.take(np.arange(150, len(votes)))
    both = halves[0].merge(halves[1])
    for name in ("first", "second", "prompt", "outcome", "rater", "left"):
        assert (getattr(both, name) == getattr(votes, name)).all()
    for call, said in (
        (lambda: votes.without("e"), "drop=e: there is no such variant"),
        (lambda: votes.without(["a", "b", "c"]), "drop leaves fewer than two variants"),
        (lambda: votes.take([400]), "a place is outside 0..399"),
        (lambda: votes.take([0.5]), "taken by their places"),
        (lambda: votes.take([]), "there are no votes"),
    ):
        with pytest.raises(FlashevalError) as caught:
            call()
        assert said in str(caught.value)
