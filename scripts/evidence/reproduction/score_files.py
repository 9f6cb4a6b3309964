"""Faults of the published score files, as the importer meets them."""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from flasheval.scores.importers import import_scores
from flasheval.scores.importers.official_names import OFFICIAL_VARIANTS
from flasheval.scores.importers.result import Fault
from reproduction import record
from reproduction.study import Study, markdown

OF_THE_CODE = [
    "Not shown by data, for it is the published code's and not the scores': tie margins are "
    "hard-coded; the search is unseeded; every set is scored twice; a remainder of sets is never "
    "scored; the best iteration is chosen by search tau alone. The last is true of the first "
    "published `search_algorithm.py` (commit 520a4500); a later one (commit 0ae0c21c) chooses it "
    "by tau on the *held-out* variants, which then are held out no longer.",
]


def section(study: Study) -> list[str]:
    """Lay out the section."""
    with tempfile.TemporaryDirectory() as folder:
        dirty = _extract(study.data / "flasheval-coco-dirty-sample.tar.xz", Path(folder, "coco"))
        other = _extract(study.data / "flasheval-diffusiondb.tar.xz", Path(folder, "ddb"))
        prompts = study.tables["COCO"].prompts
        found = import_scores("flasheval-official", dirty, prompts=prompts, other_root=other)
        foreign = [fault for fault in found.bad_files if fault.problem == "another data set"]
        rescored = [_rescoring(dirty, other, fault) for fault in foreign]
    kinds = Counter(fault.problem for fault in found.faults)
    absent = [name for name in OFFICIAL_VARIANTS if name not in study.tables["COCO"].variant_names]
    shared = set(prompts.ids) & set(study.tables["DiffusionDB"].prompts.ids)
    whole = len(OFFICIAL_VARIANTS)
    table = found.table
    clean = sum(int(np.isfinite(table[m].values).any(axis=1).sum()) for m in table.metrics)
    here = {fault.variant for fault in found.bad_files}
    return [
        "## 6. Faults of the published score files",
        "",
        f"**Agrees:** {len(absent)} of {whole} variants lack COCO scores (record: "
        f"{record.VARIANTS_WITHOUT_COCO}); files with DiffusionDB's scores and empty ones are "
        "there and found; CLIP scored twice differs by the record's 4.9e-4.  ",
        f"**Does not, or cannot be told:** the sample alone holds {kinds['empty']} empty files "
        f"where the record counts {record.EMPTY_FILES} in the whole tree; its "
        f"{record.FILES_OF_ANOTHER_SET} files of another set, and HPS and Aesthetic scored twice, "
        "are outside the sample.",
        "",
        f"The sample (two metrics, three base models) through the importer: {clean} files give "
        f"scores, {kinds['another data set']} hold another data set's, {kinds['empty']} are "
        f"empty, {kinds['missing']} is missing. {len(shared)} ids of the two prompt sets collide, "
        "so a join by id alone would have mixed them.",
        "",
        *markdown(
            ("file", "fault"),
            [[f"`{one.path}`", one.problem] for one in found.faults if one.variant in here],
        ),
        "",
        f"Variants without COCO scores: {', '.join(absent)}.",
        "",
        "### The same images scored twice",
        "",
        "The files of another data set are second copies of DiffusionDB's scores. Where they "
        "differ, the same images were scored twice; the margin is the published code's tie margin "
        "for subset means.",
        "",
        *markdown(
            (
                "file",
                "equal scores",
                "largest difference",
                "in margins",
                "of a mean of 50 (rms), in margins",
                "of the full mean, in margins",
            ),
            rescored,
        ),
        "",
        "So one score moves by a hundred margins, a 50-prompt mean by a few, and the mean of all "
        "5,000 by less than one: the margins are too small for the subsets they judge. Of the "
        "record's figures (4.9e-4 CLIP, 2.4e-4 HPS, 8.3e-3 Aesthetic, 100 to 2,000 margins) HPS "
        "and Aesthetic are not derivable here.",
        "",
        *OF_THE_CODE,
        "",
    ]


def _extract(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def _rescoring(dirty: Path, other: Path, fault: Fault) -> list[str]:
    """Compare a file with its twin in the other data set's tree."""
    (here,) = dirty.glob(f"Image_score/*/{fault.path}")
    (there,) = other.glob(f"Image_score/*/{fault.path}")
    first, second = (json.loads(path.read_text("utf-8")) for path in (here, there))
    keys = [key for key in first if key in second]
    gap = np.array([first[key] - second[key] for key in keys])
    margin = record.TIE_MARGINS[str(fault.metric)]
    of_fifty = np.sqrt((gap**2).mean() / 50)
    sizes = (np.abs(gap).max(), of_fifty, abs(gap.mean()))
    return [
        f"`{fault.path}`",
        f"{(gap == 0).sum():,} of {len(keys):,}",
        f"{sizes[0]:.2g}" if sizes[0] else "0",
        *(f"{size / margin:.1f}" if size else "0" for size in sizes),
    ]
