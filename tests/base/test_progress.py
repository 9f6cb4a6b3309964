import time
from io import StringIO
from itertools import pairwise

import pytest

from flasheval.base.progress import ProgressBar, duration, holding_up, reporting


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def wait_for(stream: StringIO, text: str) -> None:
    deadline = time.monotonic() + 5
    while text not in stream.getvalue():
        assert time.monotonic() < deadline, stream.getvalue()
        time.sleep(0.01)


def test_short_work_shows_nothing() -> None:
    for stream in (StringIO(), Terminal()):
        with ProgressBar(stream) as report:
            report("halves", 1, 2)
        assert stream.getvalue() == ""


def test_elsewhere_a_plain_line_comes_now_and_then() -> None:
    stream = StringIO()
    with ProgressBar(stream, after=0.01, every=0.02) as report:
        wait_for(stream, "starting: ")
        report("random:0, 50 prompts", 1.5, 3)
        wait_for(stream, "random:0, 50 prompts: 50% after 0.")
        for done in (1.8, 2.1, 2.4):  # one piece of work says nothing of the next
            time.sleep(0.02)
            report("random:0, 50 prompts", done, 3)
        wait_for(stream, " left\n")
    assert "\x1b" not in stream.getvalue()
    after = stream.getvalue()
    time.sleep(0.1)
    assert stream.getvalue() == after


def test_the_log_of_a_night_stays_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first lines come after 2, 10, 20, 30 s; ten hours make less than 200."""
    now, said = 0.0, []
    monkeypatch.setattr("flasheval.base.progress.time.monotonic", lambda: now)
    report = ProgressBar(StringIO())

    def wait(seconds: float) -> bool:
        nonlocal now
        now += seconds
        said.append(now)
        return now > 36_000

    monkeypatch.setattr(report._over, "wait", wait)
    report._watch()
    assert said[:5] == [2, 10, 20, 30, 40]
    assert 100 < len(said) < 200
    assert max(after - before for before, after in pairwise(said)) < 1900


def test_what_is_not_to_be_shown_is_not() -> None:
    stream = StringIO()
    with ProgressBar(stream, after=0.0, every=0.01, shown=False) as report:
        report("halves", 1, 2)
        time.sleep(0.05)
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    with ProgressBar(stream, after=0.01) as report:
        report("halves", 1, 2)
        wait_for(stream, "halves")
        wait_for(stream, "50%")
    assert stream.getvalue().endswith("\x1b[2K")


def test_a_job_of_several_keeps_to_lines_with_its_label() -> None:
    stream = Terminal()
    with ProgressBar(stream, label="size=4", after=0.01, every=0.02) as report:
        report("halves", 0, 2)
        wait_for(stream, "[size=4] halves: ")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.0 s"),
        (9.94, "9.9 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599.9, "1 h 0 min"),
        (86400, "24 h 0 min"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("progress", "stream", "shown"),
    [
        (None, StringIO, True),
        (None, Terminal, True),
        (True, StringIO, True),
        (False, Terminal, False),
    ],
)
def test_a_report_is_made_where_it_is_wanted(
    progress: bool | None, stream: type[StringIO], shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", stream())
    with reporting(progress) as report:
        assert isinstance(report, ProgressBar) == shown
        assert (report is None) != shown


def test_a_function_is_given_on_as_it_is() -> None:
    def mine(label: str, done: float, total: int) -> None: ...

    with reporting(mine) as report:
        assert report is mine


def test_the_time_left_is_said_once_it_can_be_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("flasheval.base.progress.time.monotonic", lambda: now)
    report = ProgressBar(StringIO())
    for second in range(1, 31):
        now += 1.0
        report("halves", second, 100)
        if second == 3:
            assert report.line() == "halves: 3% after 3.0 s"
    assert report.line() == "halves: 30% after 30 s, about 1 min 10 s left"


def test_a_part_says_that_its_time_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("flasheval.base.progress.time.monotonic", lambda: now)
    report = ProgressBar(StringIO(), whole=False)
    for second in range(1, 6):
        now += 1.0
        report("features", second, 10)
    assert report.line() == "features: 50% after 5.0 s, about 5.0 s left for this part"
    report("distances", 8, 300)
    assert report.line() == "distances: 3% after 5.0 s"


def test_what_holds_the_work_up_is_named_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("flasheval.base.progress.time.monotonic", lambda: now)
    report = ProgressBar(StringIO())
    with holding_up("compiling the kernels, once"):
        now = 0.9
        assert report.line() == "starting: 0.9 s so far"
        now = 5.0
        assert report.line() == "compiling the kernels, once: 5.0 s so far"
        with holding_up("something quick"):
            report("halves", 1, 50)
            assert report.line() == "compiling the kernels, once: 2% after 5.0 s"
    assert report.line() == "halves: 2% after 5.0 s"
