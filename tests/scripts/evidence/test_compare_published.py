"""The page that holds our subsets to the authors' comes out of the manifests and their files."""

import subprocess
import sys
from pathlib import Path

import pytest

from flasheval.base.resources import subsets_dir
from flasheval.subset import Subset

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_the_page_says_what_manifests_and_files_say(shared_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.md"
    command = [
        sys.executable,
        str(ROOT / "scripts" / "evidence" / "compare_published.py"),
        "--quick",
    ]
    options = ["--data", str(shared_data), "--units", str(tmp_path / "units"), "--out", str(out)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in out.read_text("utf-8").splitlines()]
    published = (ROOT / "docs" / "evidence" / "published-subsets.md").read_text("utf-8")
    shown = [line.strip("| ").split(" | ") for line in published.splitlines()]
    for prompt_set in ("coco", "diffusiondb"):
        manifest = Subset.load(subsets_dir() / prompt_set / f"{prompt_set}-clip-50.json")
        evidence = {one.split_spec: one for one in manifest.record.further_evidence}
        tau = evidence["official split"].metrics["CLIP"].held_out_tau.mean
        fresh = [row for row in rows if row[:2] == ["CLIP", "50"] and row[3] == f"{tau:.3f}"]
        full = [row for row in shown if row[:2] == ["CLIP", "50"] and row[3] == f"{tau:.3f}"]
        # The random band, ours and theirs do not depend on how much the trial computes.
        assert len(fresh) == len(full) == 1
        assert fresh[0][:7] == full[0][:7]
        assert fresh[0][6].startswith("Aesthetic, ")  # the authors' label, which is not right
