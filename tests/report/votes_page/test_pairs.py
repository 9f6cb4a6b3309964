"""The balance of the pairs, counted one by one."""

from collections import Counter
from itertools import combinations

import pytest

from flasheval.report.votes_page.pairs import Pair, choose_pairs, pair_order, pair_sequence


def _apart(counts, things):
    """How far the most and the least often seen things are apart."""
    seen = [counts[thing] for thing in things]
    return max(seen) - min(seen)


@pytest.mark.parametrize("count", range(2, 16))
def test_each_pair_comes_once_and_any_beginning_is_balanced(count):
    order = pair_order(count)
    assert sorted(order) == list(combinations(range(count), 2))
    seen = Counter()
    for pair in order:
        seen.update(pair)
        assert _apart(seen, range(count)) <= 1


@pytest.mark.parametrize("variants", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("prompts", [1, 2, 6, 10, 28])
def test_any_number_of_draws_is_balanced(variants, prompts):
    pairs = list(combinations(range(variants), 2))
    drawn = list(pair_sequence(variants, prompts, seed=3))
    assert sorted(drawn) == sorted((*pair, prompt) for pair in pairs for prompt in range(prompts))
    of_variants, of_pairs, of_prompts = Counter(), Counter(), Counter()
    for a, b, prompt in drawn:
        of_variants.update((a, b))
        of_pairs[a, b] += 1
        of_prompts[prompt] += 1
        assert _apart(of_variants, range(variants)) <= 1
        assert _apart(of_pairs, pairs) <= 1
        assert _apart(of_prompts, range(prompts)) <= 1


def test_the_seed_decides_what_is_drawn():
    def all_there(*_):
        return True

    some = [choose_pairs(6, 20, usable=all_there, most=9, seed=seed) for seed in (0, 0, 1)]
    assert some[0] == some[1] != some[2]
    assert len(some[0].pairs) == 9
    assert some[0].left_out == 0
    assert len(choose_pairs(6, 20, usable=all_there).pairs) == 15 * 20


def test_what_is_missing_is_left_out_and_others_take_its_turn():
    gone = {(0, 2), (3, 5)}

    def usable(variant, prompt, _):
        return (variant, prompt) not in gone

    chosen = choose_pairs(4, 8, usable=usable)
    assert chosen.left_out == 2 * 3
    assert len(chosen.pairs) == 6 * 8 - 6
    assert not any({(p.a, p.prompt), (p.b, p.prompt)} & gone for p in chosen.pairs)
    some = choose_pairs(4, 8, usable=usable, most=40)
    assert len(some.pairs) == 40
    assert some.left_out <= 6


def test_images_of_a_prompt_take_turns_and_stand_in_for_each_other():
    chosen = choose_pairs(5, 6, usable=lambda *_: True, images=3)
    for prompt in range(6):
        numbers = Counter(p.image for p in chosen.pairs if p.prompt == prompt)
        assert sorted(numbers.values()) == [3, 3, 4]
    only = choose_pairs(2, 3, usable=lambda variant, prompt, image: image == 2 - variant, images=3)
    assert only.pairs == ()
    last = choose_pairs(2, 3, usable=lambda variant, prompt, image: image == 2, images=3)
    assert sorted(last.pairs) == [Pair(0, 1, prompt, 2) for prompt in range(3)]
