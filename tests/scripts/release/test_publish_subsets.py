"""The published subsets are made again to the same hash, whatever was kept of the last time."""

import subprocess
import sys
from pathlib import Path

import pytest

from flasheval.subset import Subset

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "release"


def publish(*words: str) -> subprocess.CompletedProcess[str]:
    script = str(SCRIPTS / "publish_subsets.py")
    command = [sys.executable, script, "--populations", "miniature", "--quick", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_made_twice_they_have_the_same_hashes_and_a_change_is_found(tmp_path: Path) -> None:
    out = tmp_path / "subsets"
    made = publish("--units", str(tmp_path / "units"), "--out", str(out))
    assert made.returncode == 0, made.stderr
    paths = sorted(out.glob("*/*.json"))
    before = {path: path.read_bytes() for path in paths}
    metrics = ("clip", "composition", "quality", "shared")
    assert {path.stem for path in paths} == {f"miniature-{m}-{n}" for m in metrics for n in (5, 10)}
    for path in paths:
        subset = Subset.load(path)
        subset.verify()
        record = subset.record
        kinds = [record.evidence, *record.further_evidence]
        assert all(one is not None and one.size == subset.size for one in kinds)
        assert [len(one.splits) for one in kinds if one] == [2, 2]
        assert record.calibration is not None
        assert all(len(one.subset_means) == len(subset.metrics) for one in record.known_variants)
        whole = Subset.load(path.with_stem(path.stem.rpartition("-")[0] + "-10"))
        assert subset.ids == whole.ids[: subset.size]

    again = publish("--units", str(tmp_path / "elsewhere"), "--out", str(out))
    assert again.stdout.count(" same ") == len(paths), again.stdout
    assert {path: path.read_bytes() for path in paths} == before  # not even a time is touched

    paths[0].write_text(paths[0].read_text("utf-8").replace('"seed": 0', '"seed": 1'), "utf-8")
    check = publish("--units", str(tmp_path / "units"), "--out", str(out), "--check")
    assert check.returncode == 1
    assert f"new  {paths[0].stem}" in check.stdout
    assert "1 content hashes differ" in check.stdout
