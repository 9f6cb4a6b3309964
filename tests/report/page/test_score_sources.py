import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.report.page.origin import find_origin
from flasheval.report.page.score_sources import scores_of
from flasheval.scores import ScoreMatrix, ScoreTable


@pytest.fixture
def subset(searched):
    return find_origin(searched).subset


def _changed(table, change, metrics=None):
    """Return the table with every matrix's values (a copy) put through a change in place."""
    matrices = {}
    for name in metrics or table.metrics:
        values = table[name].values.copy()
        change(values)
        matrices[name] = ScoreMatrix(
            name, values, table.variant_names, table.prompts.ids, table[name].higher_is_better
        )
    return ScoreTable(table.prompts, table.variants, matrices)


def test_variants_searched_come_first_whatever_the_order(subset, table):
    found = scores_of(subset, table.with_variants(np.arange(24)[::-1]))
    assert found.table.variant_names == subset.searched_variants
    assert found.whole
    assert found.sides.all()
    assert found.table.prompts.take(found.selection.indices).ids == subset.ids


def test_other_variants_follow_and_are_told_apart(subset, table):
    few = subset.searched_variants[:10]
    part = type(subset)(
        subset.name,
        subset.prompt_set_name,
        subset.prompt_set_hash,
        subset.prompts,
        subset.metrics,
        subset.method,
        few,
    )
    found = scores_of(part, table)
    assert found.whole
    assert (len(found.table), found.searched, len(found.judged)) == (24, 10, 10)
    assert found.sides.sum() == 10
    some = scores_of(subset, table.with_variants(np.arange(6)))
    assert (some.whole, some.searched, len(some.judged)) == (False, 6, 6)


def test_prompts_a_searched_variant_lacks_are_left_out(subset, table):
    lost = [i for i, one in enumerate(table.prompts.ids) if one not in subset.ids][:3]

    def lose(values):
        values[2, lost] = np.nan

    found = scores_of(subset, _changed(table, lose))
    assert found.table.n_prompts == found.given.n_prompts == 57
    assert found.whole
    assert not np.isnan(found.table["clip"].values).any()


def test_scores_that_do_not_fit_are_refused(subset, table, make_table):
    with pytest.raises(DataError, match="no metric of subset"):
        scores_of(subset, make_table(5, 60, ("other",)))
    with pytest.raises(DataError, match="say the other direction"):
        scores_of(subset, make_table(24, 60, ("clip", "fid")))
    with pytest.raises(DataError, match="have another text there"):
        scores_of(subset, make_table(24, 60, ("clip",)))
