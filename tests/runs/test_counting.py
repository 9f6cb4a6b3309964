import pytest

from flasheval.runs.counting import Counter
from flasheval.runs.store import RunStore
from flasheval.runs.worker import Worker


def test_done_units_are_counted_by_their_files(toys, prompts, tmp_path):
    plan, store = toys.plan(prompts), RunStore(tmp_path)
    counter = Counter(plan, store)
    assert counter.done() == 0
    seen = []

    def stop_after_five(unit):
        seen.append(counter.done())
        if len(seen) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Worker(plan, store, done=stop_after_five).work()
    assert seen == [1, 2, 3, 4, 5]
    assert counter.by_variant() == {"draw": 4.0, "dark": 1.0}
