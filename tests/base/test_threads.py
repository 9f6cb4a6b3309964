"""Threads of our own: order, crews, nested work, errors, Ctrl-C, forks."""

import _thread
import os
import threading
import time
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError, SettingError
from flasheval.base.threads import check_workers, cores, crew, in_blocks, spread

pytestmark = pytest.mark.timeout(60)


class Running:
    """Counts the threads that are inside pieces of work, nested ones once."""

    def __init__(self):
        self.most, self._lock, self._depth = 0, threading.Lock(), {}

    def __enter__(self):
        with self._lock:
            mine = threading.get_ident()
            self._depth[mine] = self._depth.get(mine, 0) + 1
            self.most = max(self.most, len(self._depth))

    def __exit__(self, *_):
        with self._lock:
            mine = threading.get_ident()
            self._depth[mine] -= 1
            if not self._depth[mine]:
                del self._depth[mine]


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_results_come_in_the_order_of_the_pieces(size):
    def piece(number):
        time.sleep(0.001 * (number % 3))
        return number

    with crew(size):
        assert spread([partial(piece, number) for number in range(20)]) == list(range(20))


def test_nothing_to_do():
    assert spread([]) == []
    in_blocks(0, 3, lambda first, last: pytest.fail("there is nothing"))


@pytest.mark.parametrize("size", [2, 3])
def test_as_many_threads_work_as_the_crew_has(size):
    together = threading.Barrier(size, timeout=20)  # passed only by so many at once
    with crew(size):
        spread([together.wait] * size * 4)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_nested_work_never_takes_more_threads_than_the_crew_has(size):
    running = Running()

    def leaf(number):
        with running:
            time.sleep(0.0005)
            return number

    def middle(number):
        with running:
            return sum(spread([partial(leaf, number * 5 + k) for k in range(5)]))

    def outer(number):
        with running:
            return sum(spread([partial(middle, number * 4 + k) for k in range(4)]))

    with crew(size):
        assert sum(spread([partial(outer, k) for k in range(6)])) == sum(range(120))
    assert running.most <= size
    assert size == 1 or running.most > 1


def test_a_free_thread_helps_with_the_work_inside_the_last_piece():
    together = threading.Barrier(2, timeout=20)
    begun = threading.Event()

    def quick():
        assert begun.wait(20)

    def long():
        begun.set()
        time.sleep(0.1)  # the other thread is idle by now
        spread([together.wait] * 2)

    with crew(2):
        spread([long, quick])


@st.composite
def trees(draw, depth=3):
    """Nested lists of numbers: a list is work that spreads its parts."""
    parts = st.integers(0, 99) if depth == 0 else st.integers(0, 99) | trees(depth=depth - 1)
    return draw(st.lists(parts, max_size=4))


@given(trees(), st.integers(1, 4))
@settings(deadline=None, max_examples=60)
def test_any_nest_of_work_on_any_crew_gives_what_one_thread_gives(tree, size):
    running = Running()

    def work(part):
        with running:
            return part if isinstance(part, int) else spread([partial(work, p) for p in part])

    with crew(size):
        assert work(tree) == tree
    assert running.most <= size


@given(st.integers(0, 300), st.integers(1, 40), st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_blocks_cover_every_number_once(count, block, size):
    seen = []
    with crew(size):
        in_blocks(count, block, lambda first, last: seen.append((first, last)))
    assert sorted(k for first, last in seen for k in range(first, last)) == list(range(count))
    assert all(last - first <= block for first, last in seen)


def test_one_block_is_done_by_the_caller_without_a_thread(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", lambda self: pytest.fail("a thread"))
    with crew(3):
        in_blocks(5, 5, lambda first, last: None)


def test_a_crew_is_put_back():
    with crew(None) as before:
        assert before == cores()
    with crew(3) as outer:
        assert outer == 3
        with crew(2) as inner, crew(None) as same:
            assert inner == same == 2
        with crew(None) as again:
            assert again == 3
        with pytest.raises(DataError), crew(1):
            raise DataError("inside")
        with crew(None) as again:
            assert again == 3
    with crew(None) as after:
        assert after == before


def test_helpers_go_back_to_the_crew_after_an_error():
    def bad():
        raise DataError("bad")

    together = threading.Barrier(3, timeout=20)
    with crew(3):
        for _ in range(10):
            with pytest.raises(DataError):
                spread([bad] * 5)
        spread([together.wait] * 3)  # all three are there
    assert not [one for one in threading.enumerate() if one.daemon and "_help" in one.name]


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2"])
def test_a_number_of_workers_that_cannot_be(workers):
    with pytest.raises(SettingError, match="expected at least 1"):
        check_workers(workers)
    with pytest.raises(SettingError, match="expected at least 1"), crew(workers):
        pass


def test_cores_are_those_this_process_may_use():
    assert 1 <= cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_first_error_is_raised_and_what_had_not_begun_is_left_out(size):
    begun, stop = [], threading.Event()

    def bad():
        raise DataError("the first")

    def other(number):
        begun.append(number)
        assert stop.wait(20)

    with crew(size), pytest.raises(DataError, match="the first"):
        spread([bad, *[partial(other, number) for number in range(100)]], stop=stop.set)
    assert len(begun) < size


def test_after_an_error_no_more_threads_are_started(monkeypatch):
    started, start = [], threading.Thread.start

    def counted(thread):
        started.append(thread)
        start(thread)
        thread.join(20)  # a helper is over before the caller looks again

    def bad():
        raise DataError("bad")

    monkeypatch.setattr(threading.Thread, "start", counted)
    with crew(2), pytest.raises(DataError):
        spread([bad] * 100)
    assert len(started) == 1


def test_what_is_under_way_is_told_to_stop_and_its_error_is_the_second():
    stop = threading.Event()
    endless_begun = threading.Event()

    def endless():
        endless_begun.set()
        assert stop.wait(20)
        raise ValueError("the second")

    def bad():
        assert endless_begun.wait(20)
        raise DataError("the first")

    with crew(2), pytest.raises(DataError, match="the first"):
        spread([endless, bad], stop=stop.set)


def test_an_error_inside_nested_work_comes_through():
    def bad():
        raise DataError("deep down")

    with crew(2), pytest.raises(DataError, match="deep down"):
        spread([lambda: spread([lambda: spread([bad])])] * 3)


def test_ctrl_c_in_the_caller_while_it_waits():
    stop, waiting = threading.Event(), threading.Event()

    def helper():
        assert stop.wait(20)

    def quick():
        time.sleep(0.05)  # the other piece is taken by a helper, or this one is

    def look():
        waiting.set()
        if not stop.is_set():
            raise KeyboardInterrupt

    caller = threading.get_ident()

    def piece():
        return quick() if threading.get_ident() == caller else helper()

    with crew(2), pytest.raises(KeyboardInterrupt):
        spread([piece, piece], stop=stop.set, waiting=look)
    assert waiting.is_set()


def test_a_real_ctrl_c_ends_the_pieces_that_look_for_it():
    stop = threading.Event()

    def piece():
        while not stop.is_set():
            time.sleep(0.005)

    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    with crew(2), pytest.raises(KeyboardInterrupt):
        spread([piece] * 6, stop=stop.set)
    timer.join()
    assert stop.is_set()


def test_ctrl_c_raised_in_a_helper_ends_all():
    stop, caller = threading.Event(), threading.get_ident()

    def piece():
        if threading.get_ident() != caller:
            raise KeyboardInterrupt
        assert stop.wait(20)

    with crew(2), pytest.raises(KeyboardInterrupt):
        spread([piece, piece], stop=stop.set)
    assert stop.is_set()


def test_the_caller_is_told_while_others_finish():
    caller, told, release = threading.get_ident(), [], threading.Event()

    def piece():
        if threading.get_ident() != caller:
            assert release.wait(20)

    def look():
        told.append(threading.get_ident())
        release.set()

    with crew(2):
        spread([piece, piece], waiting=look)
    assert set(told) <= {caller}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_of_a_fork_in_the_midst_of_work_has_a_crew_of_its_own():
    def in_child():
        child = os.fork()
        if child == 0:
            with crew(None) as size:
                right = size == cores() and spread([lambda: 1, lambda: 2]) == [1, 2]
                with crew(3):
                    right = right and spread([lambda: 1] * 5) == [1] * 5
            os._exit(0 if right else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    with crew(3):
        assert spread([in_child] * 3) == [0, 0, 0]
