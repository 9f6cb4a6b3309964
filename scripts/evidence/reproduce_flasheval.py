"""Regenerate what is known of FlashEval on its own scores, beside the record and the paper.

Writes two pages into a folder (or prints them):

- `reproduction.md`: random curves, the published search re-run, harder splits, the paper's
  tables, faults of the score files, and the numbers a user will ask about;
- `released-subsets.md`: an audit of the authors' 40 released subsets, which ranking each really
  fits and where it stands among random subsets.

The data is not part of this repository, and no prompt text is written. Finished searches are
kept, so that the same command continues after an interruption.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path

from reproduction import (
    harder_splits,
    pairs,
    paper,
    random_curves,
    released_page,
    released_subsets,
    score_files,
    searches,
)
from reproduction.study import FULL, QUICK, Study

from flasheval.base.files import atomic_write
from flasheval.base.versions import library_versions

INTRODUCTION = [
    "The published code (github.com/thu-nics/FlashEval) was once run on its own per-prompt scores "
    "with its own functions; *the record* is what it gave. This page computes the same with this "
    "package, and says where the two agree. **Bold** differences are larger than chance allows. "
    "What the authors' released subsets really fit: [released-subsets.md](released-subsets.md).",
    "",
]


def main() -> None:
    """Compute everything and write the two pages."""
    options = _options()
    begun = time.perf_counter()
    study = Study.load(options.data, options.units, QUICK if options.quick else FULL)
    audited = released_subsets.audit_all(study)
    made_by = _made_by(options.quick)
    pages = {
        "reproduction.md": [
            "# FlashEval reproduced",
            "",
            made_by,
            "",
            *INTRODUCTION,
            *random_curves.section(study),
            *searches.section(study),
            *harder_splits.section(study),
            *paper.section(study),
            *released_page.pointer(audited),
            *score_files.section(study),
            *pairs.section(study),
        ],
        "released-subsets.md": released_page.document(study, audited, made_by),
    }
    for name, lines in pages.items():
        text = "\n".join(lines).rstrip() + "\n"
        if options.out is None:
            print(text)
        else:
            with atomic_write(options.out / name) as temporary:
                temporary.write_text(text, "utf-8")
    print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the official scores")
    parser.add_argument("--out", type=Path, help="folder for the pages (default: the terminal)")
    parser.add_argument(
        "--units",
        type=Path,
        default=Path("flasheval-runs/reproduce-flasheval"),
        help="where finished searches are kept (default: %(default)s)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer draws, seeds and sets, CLIP only: a minute"
    )
    return parser.parse_args()


def _made_by(quick: bool) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in library_versions().items())
    command = "python scripts/evidence/reproduce_flasheval.py --data DIR --out FOLDER"
    return f"Made by `{command}{' --quick' if quick else ''}` ({versions}; {platform.machine()})."


if __name__ == "__main__":
    main()
