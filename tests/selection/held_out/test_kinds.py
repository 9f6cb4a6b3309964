import json

import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.kinds import read_kinds
from flasheval.selection.held_out.splits import Split, make_splits

TABLE = synthetic_scores(24, 10)


def names(kinds):
    return [(kind.name, kind.spec, len(kind.splits)) for kind in kinds]


def test_one_description_is_one_kind():
    assert names(read_kinds("random:4", TABLE)) == [("random:4", "random:4", 4)]
    (kind,) = read_kinds({"search": [0, 1, 2], "held_out": [5, 6]}, TABLE)
    assert (kind.name, kind.splits[0].held_out.tolist()) == ("explicit", [5, 6])


def test_a_list_of_texts_is_a_kind_each(tmp_path):
    file = tmp_path / "official.json"
    file.write_text(json.dumps([0, 1, 2, 3]))
    found = read_kinds(["random:2", "group:scheduler", str(file)], TABLE)
    assert names(found) == [
        ("random:2", "random:2", 2),
        ("group:scheduler", "group:scheduler", 3),
        ("official.json", "official.json", 1),
    ]
    assert [kind.groups for kind in found] == [(), ("DDIM", "PNDM", "DPM"), ()]


def test_a_list_of_variants_or_splits_is_one_kind():
    for splits in (
        list(TABLE.variant_names[:5]),
        [0, 1, 2, 3, 4],
        [Split("mine", np.arange(5), np.arange(5, 24))],
    ):
        (kind,) = read_kinds(splits, TABLE)
        assert (kind.name, kind.splits[0].search.tolist()) == ("explicit", [0, 1, 2, 3, 4])


def test_a_mapping_names_its_kinds():
    mine = make_splits("random:3", TABLE)
    found = read_kinds({"halves": mine, "new solvers": "group:scheduler"}, TABLE)
    assert names(found) == [("halves", "explicit", 3), ("new solvers", "group:scheduler", 3)]
    assert all(a is b or a.name == b.name for a, b in zip(found[0].splits, mine, strict=True))


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        (None, "splits is empty"),
        ([], "splits is empty"),
        ({}, "splits is empty"),
        ("", "splits is empty"),
        (["random:2", "random:2"], "random:2 is given twice"),
        ({7: "random:2"}, "7 cannot name a kind"),
        ({" ": "random:2"}, "cannot name a kind"),
        (["random:2", "rndom:2"], "did you mean 'random'?"),
    ],
)
def test_a_mistake_is_one_line(splits, said):
    with pytest.raises(SettingError) as caught:
        read_kinds(splits, TABLE)
    assert said in str(caught.value)


def test_a_factor_that_is_not_there():
    with pytest.raises(SettingError, match="did you mean 'scheduler'"):
        read_kinds(["group:schedulr"], TABLE)
