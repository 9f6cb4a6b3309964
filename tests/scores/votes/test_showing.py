"""Draws of prompts are fair and spread."""

import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.prompts import PromptSet
from flasheval.scores.votes.showing import prompts_to_show

KINDS = np.array(["a"] * 30 + ["b"] * 15 + ["c"] * 6)
SET = PromptSet("kinds", tuple(map(str, range(51))), extras={"kind": tuple(KINDS)})


@pytest.mark.parametrize("size", [14, 17])
def test_each_value_has_its_share_and_each_prompt_its_chance(size):
    seen = np.zeros(51)
    for seed in range(400):
        drawn = prompts_to_show(SET, size, by="kind", seed=seed)
        assert len(set(drawn.tolist())) == size
        for kind in "abc":
            wanted = size * (kind == KINDS).mean()
            assert abs((KINDS[drawn] == kind).sum() - wanted) < 1.0001
        seen[drawn] += 1
    chance = size / 51
    assert np.abs(seen / 400 - chance).max() < 4.5 * np.sqrt(chance * (1 - chance) / 400)


def test_the_first_are_spread_too_and_without_a_column_it_is_random():
    drawn = prompts_to_show(SET, 16, by="kind", seed=1)
    assert {"a", "b"} <= set(KINDS[drawn[:5]])
    plain = prompts_to_show(SET, 51)
    assert sorted(plain.tolist()) == list(range(51))
    assert plain.tolist() == prompts_to_show(SET, 51).tolist()
    assert plain.tolist() != prompts_to_show(SET, 51, seed=1).tolist()


def test_what_cannot_be():
    for size, by, said in ((0, None, "size=0"), (52, None, "to the 51 prompts"), (3, "x", "by=x")):
        with pytest.raises(SettingError, match=said):
            prompts_to_show(SET, size, by=by)
