import pytest

from flasheval.runs.store import RunStore
from flasheval.runs.worker import Place, Worker


def _order(plan, store, place):
    return [variant.name for variant in Worker(plan, store, place)._order()]


def test_workers_begin_at_different_variants(toys, prompts, tmp_path):
    plan = toys.plan(prompts, functions=("draw", "dark", "faulty", "greedy"))
    store = RunStore(tmp_path)
    assert _order(plan, store, Place(0, 2)) == ["draw", "dark", "faulty", "greedy"]
    assert _order(plan, store, Place(1, 2)) == ["faulty", "greedy", "draw", "dark"]


def test_a_worker_that_is_stopped_keeps_all_units_but_the_one_in_hand(toys, prompts, tmp_path):
    plan, store = toys.plan(prompts), RunStore(tmp_path)
    done = []

    def stop(unit):
        done.append(unit)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Worker(plan, store, done=stop).work()
    drawn = len(toys.drawn())
    assert drawn == 18
    Worker(plan, store).work()
    assert len(toys.drawn()) == 40


def test_units_another_runner_claims_are_left_to_it(toys, prompts, tmp_path):
    import subprocess
    import sys
    import time

    plan, store = toys.plan(prompts, functions=("draw",)), RunStore(tmp_path)
    first = next(plan.units(plan.variants[0]))
    code = (
        "import sys, time; from pathlib import Path; from flasheval.runs.claims import Claims\n"
        f"with Claims(Path({str(tmp_path / '.claims')!r})).claim({first.name!r}) as mine:\n"
        "    print(mine, flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline().strip() == "True"
    done = []

    def watch(unit):
        done.append(unit.name)
        if len(done) == 3:  # all but the claimed one; its runner dies now
            other.kill()

    begun = time.monotonic()
    Worker(plan, store, done=watch).work()
    assert done[-1] == first.name
    assert len(toys.drawn()) == 20
    assert time.monotonic() - begun < 30
    other.wait()
