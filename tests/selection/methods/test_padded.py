"""A core that anneal chooses, and random prompts that know nothing of the scores behind it."""

from dataclasses import replace

import numpy as np
import pytest

from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.nested import run_nested
from flasheval.selection.methods.padded import Padded


def find(selector, problem, seed=0):
    return drive(selector, problem, np.random.default_rng(seed)).selection.indices


@pytest.mark.parametrize("core", [12, 50])
def test_up_to_the_core_it_is_anneal(a_problem, core):
    problem = a_problem(n=20, size=12, required=[3], forbidden=[5])
    assert find(Padded(core), problem).tolist() == find(Anneal(), problem).tolist()


def test_beyond_the_core_prompts_are_drawn_without_the_scores(a_problem):
    problem = a_problem(n_prompts=60, size=40, required=[3], forbidden=[5, 7])
    chosen = find(Padded(10), problem)
    assert chosen[:10].tolist() == find(Anneal(), replace(problem, size=10)).tolist()
    assert len(set(chosen.tolist())) == 40
    assert not {5, 7} & set(chosen.tolist())
    # The padding of other scores is the same draw, less what their core took.
    other = a_problem(n_prompts=60, size=40, required=[3], forbidden=[5, 7], seed=9)
    again = find(Padded(10), other)
    cores = {*chosen[:10].tolist(), *again[:10].tolist()}
    kept, drawn = ([one for one in found[10:] if one not in cores] for found in (chosen, again))
    shared = min(len(kept), len(drawn))
    assert shared > 15
    assert kept[:shared] == drawn[:shared]


def test_required_prompts_may_fill_the_core(a_problem):
    problem = a_problem(n_prompts=60, size=20, required=list(range(15)))
    chosen = find(Padded(10), problem)
    assert chosen[:15].tolist() == list(range(15))
    assert len(set(chosen.tolist())) == 20
    whole = a_problem(n_prompts=20, size=20)
    assert sorted(find(Padded(4), whole)) == list(range(20))


def test_nested_sizes_beyond_the_core_only_add_random_prompts(a_problem):
    problem = a_problem(n_prompts=80, size=60)
    outcome = run_nested(Padded(10), problem, (5, 10, 30, 60), np.random.default_rng(2))
    short = run_nested(Anneal(), replace(problem, size=10), (5, 10), np.random.default_rng(2))
    assert outcome.selection.indices[:10].tolist() == short.selection.indices.tolist()
    assert [row["size"] for row in outcome.history if "accepted" in row][-1] == 10
    assert len(set(outcome.selection.indices.tolist())) == 60
