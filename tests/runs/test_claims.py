"""Claims: one process at a time holds a unit, and its death lets it go."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from flasheval.runs.claims import Claims

pytest.importorskip("fcntl")
NAME, OTHER = "1" * 32, "2" * 32

HOLDER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from flasheval.runs.claims import Claims
    with Claims(Path(sys.argv[1])).claim(sys.argv[2]) as mine:
        print(mine, flush=True)
        sys.stdin.readline()
    print("gone", flush=True)
    sys.stdin.readline()
""")


@pytest.fixture
def holder(tmp_path):
    """A process that holds the unit NAME."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path / ".claims", NAME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.communicate()


def test_a_unit_another_process_holds_is_not_given(tmp_path, holder):
    claims = Claims(tmp_path / ".claims")
    with claims.claim(NAME) as mine:
        assert not mine
    with claims.claim(OTHER) as mine:
        assert mine


def test_the_end_of_a_block_frees_the_unit(tmp_path, holder):
    claims = Claims(tmp_path / ".claims")
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "gone\n"
    assert holder.poll() is None
    with claims.claim(NAME) as mine:
        assert mine


def test_a_claim_that_failed_frees_nothing(tmp_path, holder):
    claims = Claims(tmp_path / ".claims")
    for _ in range(2):
        with claims.claim(NAME) as mine:
            assert not mine
    claims.close()
    with Claims(tmp_path / ".claims").claim(NAME) as mine:
        assert not mine


def test_death_frees_the_unit(tmp_path, holder):
    claims = Claims(tmp_path / ".claims")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with claims.claim(NAME) as mine:
        assert mine


def test_an_error_in_the_block_frees_the_unit(tmp_path):
    claims = Claims(tmp_path / ".claims")
    with pytest.raises(ZeroDivisionError), claims.claim(NAME):
        _ = 1 / 0
    held = subprocess.run(
        [sys.executable, "-c", HOLDER, tmp_path / ".claims", NAME],
        input="\n\n",
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert held.stdout.startswith("True\n")


def test_claims_go_on_after_they_were_closed(tmp_path):
    claims = Claims(tmp_path / ".claims")
    with claims.claim(NAME) as mine:
        assert mine
    claims.close()
    claims.close()
    with claims.claim(NAME) as mine:
        assert mine
    assert (tmp_path / ".claims").read_bytes() == b""


def test_where_there_are_no_locks_every_claim_is_given(tmp_path, holder, monkeypatch):
    monkeypatch.setattr("flasheval.runs.claims.fcntl", None)
    with Claims(tmp_path / "absent" / ".claims").claim(NAME) as mine:
        assert mine
