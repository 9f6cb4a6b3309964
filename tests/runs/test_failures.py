"""Failures: one small file a unit, gone when the unit succeeds."""

from flasheval.runs.failures import Failure, FailureLog

UNIT = Failure("sd/DDIM10", "generate", "RuntimeError: boom", "a" * 32, "7", 32)


def test_what_is_written_comes_back(tmp_path):
    log = FailureLog(tmp_path / "failures")
    assert list(log.all()) == []
    whole = Failure("sdxl", "plan", "checkpoint=é is not there")
    log.write("sd_DDIM10", UNIT)
    log.write("sdxl", whole)
    assert list(FailureLog(tmp_path / "failures").all()) == [UNIT, whole]


def test_a_failure_replaces_the_last_of_its_unit(tmp_path):
    log = FailureLog(tmp_path)
    log.write("sd", UNIT)
    newer = Failure("sd/DDIM10", "CLIP", "no room", "a" * 32, "7", 32)
    log.write("sd", newer)
    assert list(log.all()) == [newer]


def test_success_forgets_the_unit_and_no_other(tmp_path):
    log = FailureLog(tmp_path)
    other, whole = Failure("sd", "CLIP", "no", "b" * 32), Failure("sd", "load", "no")
    for failure in (UNIT, other, whole):
        log.write("sd", failure)
    log.clear("sd", UNIT.unit)
    log.clear("sd", "c" * 32)
    assert sorted(log.all(), key=lambda one: one.unit) == [whole, other]


def test_a_variant_about_to_be_tried_again_is_forgotten_whole(tmp_path):
    log = FailureLog(tmp_path)
    log.write("sd", UNIT)
    log.write("sd", Failure("sd", "load", "no"))
    log.write("other", other := Failure("other", "load", "no"))
    log.forget("sd")
    log.forget("never-seen")
    assert list(log.all()) == [other]


def test_damaged_files_are_passed_over(tmp_path):
    log = FailureLog(tmp_path)
    log.write("sd", UNIT)
    for name, data in (("a", b"{"), ("b", b"\xff"), ("c", b"[]"), ("d", b'{"variant": 1}')):
        (tmp_path / "sd" / f"{name}.json").write_bytes(data)
    assert list(log.all()) == [UNIT]


def test_several_failures_in_a_row_become_one_of_the_variant():
    whole = UNIT.of_variant()
    assert (whole.variant, whole.stage, whole.unit) == (UNIT.variant, UNIT.stage, "")
    assert whole.reason == "RuntimeError: boom (several units in a row: the rest is left out)"
    load = Failure("sd", "load", "not there", "a" * 32).of_variant()
    assert load == Failure("sd", "load", "not there")
