"""The log of repairs: which damaged files were made again."""

from flasheval.runs.repairs import Repair, RepairLog


def test_repairs_come_back_from_where_one_looks(tmp_path):
    log = RepairLog(tmp_path)
    assert (log.end(), log.since(0)) == (0, [])
    log.note(tmp_path / "units" / "é" / "a.json", "cut short")
    first = log.end()
    RepairLog(tmp_path).note(tmp_path / "images" / "b.tar", 'a "reason"\nof two lines')
    assert log.since(0) == [
        Repair("units/é/a.json", "cut short"),
        Repair("images/b.tar", 'a "reason"\nof two lines'),
    ]
    assert log.since(first) == [Repair("images/b.tar", 'a "reason"\nof two lines')]
    assert log.since(log.end()) == []


def test_lines_cut_short_are_passed_over(tmp_path):
    log = RepairLog(tmp_path)
    log.note(tmp_path / "a", "x")
    with (tmp_path / "repairs.jsonl").open("ab") as file:
        file.write(b'{"path": "b", "rea\n[1]\n\xff\n')
    log.note(tmp_path / "c", "y")
    assert log.since(0) == [Repair("a", "x"), Repair("c", "y")]
