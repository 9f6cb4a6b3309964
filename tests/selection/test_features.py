"""What of prompts can be kept in balance, and what is refused in one line."""

import numpy as np
import pytest

import flasheval
from flasheval import PromptSet, ScoreTable
from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.selection.features import prompt_features
from flasheval.selection.methods.pooled import Pooled
from flasheval.selection.request import make_request

KINDS = tuple("abcd"[i % 4] for i in range(80))
PROMPTS = PromptSet(
    "toys",
    tuple(map(str, range(80))),
    extras={"kind": KINDS, "file": tuple(f"{i}.png" for i in range(80)), "one": ("x",) * 80},
)


def _table(prompts=PROMPTS, n=24):
    rng = np.random.default_rng(0)
    gains = 2 * rng.normal(size=(n, 4))
    scores = rng.normal(size=(n, 1)) + gains @ np.eye(4)[np.arange(80) % 4].T
    scores = scores + rng.normal(size=(n, 80))
    return ScoreTable.from_arrays(
        scores, variants=[f"v{i}" for i in range(n)], prompts=prompts, metric="score"
    )


def test_each_value_of_a_tag_is_a_centred_feature():
    found = prompt_features(PROMPTS)
    assert found.columns == ("kind",)
    assert found.values.shape == (4, 80)
    np.testing.assert_allclose(found.values.sum(axis=1), 0, atol=1e-12)
    assert found.values[0, :5].tolist() == [0.75, -0.25, -0.25, -0.25, 0.75]


def test_a_prompt_of_several_values_has_each():
    prompts = PromptSet("two", "1234", extras={"k": ('["a", "b"]', "a", "b", "")})
    values = prompt_features(prompts, "k").values
    np.testing.assert_allclose(values, [[0.5, 0.5, -0.5, -0.5], [0.5, -0.5, 0.5, -0.5]])


def test_many_values_are_cut_to_the_directions_in_which_prompts_differ_most():
    column = tuple(str(i % 90) for i in range(900))
    prompts = PromptSet("many", tuple(map(str, range(900))), extras={"k": column})
    assert prompt_features(prompts, ["k"]).values.shape == (64, 900)


def test_embeddings_give_their_main_directions(tmp_path):
    rng = np.random.default_rng(0)
    base = rng.normal(size=(80, 3)) @ rng.normal(size=(3, 30)) + 5
    found = prompt_features(PROMPTS, base)
    assert found.values.shape == (16, 80)
    centred = base - base.mean(axis=0)
    centred /= np.abs(base).max()
    np.testing.assert_allclose(found.values.T @ found.values, centred @ centred.T, atol=1e-8)
    np.save(tmp_path / "texts.npy", base)
    again = prompt_features(PROMPTS, str(tmp_path / "texts.npy"))
    assert again.columns == found.columns
    assert again.fingerprint() == found.fingerprint()


def test_nothing_to_balance():
    assert prompt_features(PROMPTS, "none") is None
    assert prompt_features(PROMPTS, None) is None
    assert prompt_features(PROMPTS, []) is None
    assert prompt_features(PromptSet("bare", "12")) is None


@pytest.mark.parametrize(
    ("balance", "message"),
    [
        ("colour", "balance=colour: the prompts of toys have no such column"),
        ("file", "balance=file: the column has 80 values for 80 prompts; expected at least 2"),
        ("one", "balance=one: the column has 1 value for 80 prompts"),
        (np.zeros((79, 3)), "embeddings of shape (79, 3); expected one row for each of the 80"),
        (np.full((80, 2), np.nan), "embeddings hold NaN or infinity"),
        (np.ones((80, 2)), "all prompts have the same embedding"),
        ({"a": 1}, "balance: dict; expected auto, tags, none"),
        ("missing.npy", "missing.npy: there is no such file"),
    ],
)
def test_what_cannot_be_is_one_line(balance, message):
    with pytest.raises(FlashevalError) as error:
        prompt_features(PROMPTS, balance)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_no_tags_where_they_are_asked_for():
    with pytest.raises(SettingError, match="balance=tags: the prompts of bare have no tags"):
        prompt_features(PromptSet("bare", "12"), "tags")


def test_no_pickle_is_read(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="expected an array of numbers"):
        prompt_features(PROMPTS, str(tmp_path / "x.npy"))


def test_the_manifest_names_what_was_balanced_and_other_features_are_other_searches():
    table = _table()
    tags, none = (
        make_request(table, Pooled(), 10),
        make_request(table, Pooled(), 10, balance="none"),
    )
    assert tags.settings()["balance"] == ["kind"]
    assert "balance" not in none.settings()
    assert tags.context() != none.context()


def test_a_search_balances_tags_by_default_and_can_be_told_not_to():
    table = _table(n=12)
    shares = {}
    for balance in ("auto", "none"):
        found = flasheval.search(
            table, size=20, method="balanced", splits=None, calibrate=False, balance=balance
        )
        kinds = [int(id_) % 4 for id_ in found.subset.ids]
        shares[balance] = np.bincount(kinds, minlength=4)
    assert np.ptp(shares["auto"]) <= 1 < np.ptp(shares["none"])


def test_validate_takes_it_too():
    report = flasheval.validate(
        _table(), size=8, methods="balanced", splits="random:2", draws=5, balance="none"
    )
    with_tags = flasheval.validate(_table(), size=8, methods="balanced", splits="random:2", draws=5)
    taus = [r.summary(method="balanced", size=8).held_out_tau.mean for r in (report, with_tags)]
    assert taus[0] != taus[1]


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b""), "x.npy: expected an array of numbers"),
        (lambda path: path.write_text("a,b\n1,2\n"), "x.npy: expected an array of numbers"),
        (lambda path: np.save(path, np.array([["a"]])), "x.npy: expected an array of numbers"),
        (lambda path: np.save(path, np.ones((80, 2)) * 1j), "x.npy: expected an array of numbers"),
        (lambda path: np.save(path, np.ones(80)), "x.npy: expected an array of numbers"),
    ],
    ids=["empty", "text", "words", "complex", "one row"],
)
def test_files_that_hold_no_embeddings(tmp_path, write, message):
    write(tmp_path / "x.npy")
    with pytest.raises(DataError, match="expected an array of numbers") as error:
        prompt_features(PROMPTS, str(tmp_path / "x.npy"))
    assert message in str(error.value)
    assert "pickle" not in str(error.value)


def test_a_header_that_claims_more_than_there_is(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 2)))
    content = (tmp_path / "x.npy").read_bytes()
    claimed = b"(999999, 999999), }"
    here = b"(2, 2), }".ljust(len(claimed))
    assert here in content
    content = content.replace(here, claimed)
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match="expected an array of numbers"):
        prompt_features(PROMPTS, str(tmp_path / "x.npy"))


@pytest.mark.parametrize(
    ("balance", "message"),
    [
        (3, "balance: 3; expected auto, tags, none"),
        (np.array([["1", "2"]] * 80), "balance: shape (80, 2)"),
        (np.ones((80, 2)) * 1j, "balance: shape (80, 2), complex128"),
        (["kind", "x.npy"], "balance=x.npy: a file of embeddings stands alone"),
        (np.ma.masked_equal(np.eye(80), 1.0), "embeddings hold NaN"),
    ],
)
def test_what_is_no_array_of_numbers(balance, message):
    with pytest.raises(FlashevalError) as error:
        prompt_features(PROMPTS, balance)
    assert message in str(error.value)


def test_very_large_numbers_do_not_overflow():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(80, 20))
    plain, large = prompt_features(PROMPTS, base), prompt_features(PROMPTS, base * 1e200)
    np.testing.assert_allclose(np.abs(plain.values), np.abs(large.values), rtol=1e-6, atol=1e-9)


def test_a_frame_goes_by_the_ids_in_its_index():
    pandas = pytest.importorskip("pandas")
    base = np.random.default_rng(0).normal(size=(80, 3))
    frame = pandas.DataFrame(base, index=[str(i) for i in range(80)])
    same = prompt_features(PROMPTS, frame.iloc[::-1]).values
    np.testing.assert_array_equal(same, prompt_features(PROMPTS, base).values)


def test_names_may_come_in_an_array_and_tags_in_any_case():
    tags = prompt_features(PROMPTS, "tags")
    for balance in (np.array(["kind"]), {"kind"}, "Tags", ["tags"]):
        np.testing.assert_array_equal(prompt_features(PROMPTS, balance).values, tags.values)


def test_a_method_that_balances_nothing_says_so_and_records_nothing():
    table = _table(n=12)
    found = flasheval.search(table, size=8, method="random", splits=None, calibrate=False)
    assert "balance" not in found.subset.method.settings
    with pytest.raises(SettingError, match="method 'frequency' keeps nothing in balance"):
        flasheval.search(table, size=8, method="frequency", balance="kind")


def test_rows_of_prompts_left_out_are_left_out_too():
    table = _table(n=12)
    values = table["score"].values.copy()
    values[3, :2] = np.nan
    table = ScoreTable.from_arrays(
        values, variants=table.variant_names, prompts=table.prompts, metric="score"
    )
    base = np.random.default_rng(0).normal(size=(80, 3))
    settings = {"size": 8, "method": "balanced", "splits": None, "calibrate": False}
    found = flasheval.search(table, incomplete="prompts", balance=base, **settings)
    assert not {"0", "1"} & set(found.subset.ids)
