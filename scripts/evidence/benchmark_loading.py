"""Measure the loading of large score tables: seconds and peak memory, beside polars.

A wide Parquet file (a row a prompt, a column a variant) and a long CSV (variant, prompt_id, score)
are made in a folder and read twice each, by `flasheval.load_scores` and by polars into the same
arrays, every reading in a process of its own. Smaller sizes are given with --rows, --columns and
--cells.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_VARIANTS = 100  # of the long table


def main() -> None:
    """Make the files, read them, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the wide Parquet")
    parser.add_argument("--columns", type=int, default=100, help="its columns of scores")
    parser.add_argument("--cells", type=int, default=30_000_000, help="rows of the long CSV")
    parser.add_argument(
        "--folder", type=Path, help="where the files are made; else a temporary one"
    )
    parser.add_argument(
        "--read", nargs=3, metavar=("READER", "LAYOUT", "FILE"), help=argparse.SUPPRESS
    )
    given = parser.parse_args()
    if given.read:
        print(json.dumps(_read(*given.read)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        files = {
            "wide": _wide(folder / "wide.parquet", given.rows, given.columns),
            "long": _long(folder / "long.csv", given.cells),
        }
        print("| file | MB | reader | seconds | peak memory, MB | sum of scores |")
        print("| --- | --- | --- | --- | --- | --- |")
        for layout, file in files.items():
            for reader in ("flasheval", "polars"):
                found = _in_process(reader, layout, file)
                print(
                    f"| {file.name} | {file.stat().st_size / 1e6:.0f} | {reader} | "
                    f"{found['seconds']:.2f} | {found['memory']:.0f} | {found['sum']:.6g} |"
                )


def _wide(path: Path, rows: int, columns: int) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    cells = {"prompt_id": np.arange(rows)}
    cells.update((f"v{place}", rng.random(rows, dtype=np.float32)) for place in range(columns))
    pq.write_table(pa.table(cells), path, use_dictionary=["prompt_id"])
    return path


def _long(path: Path, cells: int) -> Path:
    import pyarrow as pa
    from pyarrow import csv

    rng = np.random.default_rng(1)
    prompts = -(-cells // _VARIANTS)
    schema = pa.schema(
        [("variant", pa.string()), ("prompt_id", pa.int64()), ("score", pa.float64())]
    )
    with csv.CSVWriter(path, schema, write_options=csv.WriteOptions(quoting_style="needed")) as out:
        for variant in range(_VARIANTS):
            scores = rng.random(prompts).round(5)
            names = pa.array([f"v{variant}"] * prompts)
            out.write(
                pa.table([names, pa.array(np.arange(prompts)), pa.array(scores)], schema=schema)
            )
    return path


def _in_process(reader: str, layout: str, file: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--read", reader, layout, str(file)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found


def _read(reader: str, layout: str, file: str) -> dict[str, float]:
    """Read a file into float32 [variants, prompts] and the labels; imports are not timed."""
    load = {"flasheval": _by_flasheval, "polars": _by_polars}[reader]()
    begun = time.perf_counter()
    values = load(layout, file)
    seconds = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {"seconds": seconds, "memory": memory, "sum": float(np.nansum(values, dtype=np.float64))}


def _by_flasheval():
    import pyarrow.compute
    import pyarrow.csv
    import pyarrow.parquet  # noqa: F401 - not timed

    from flasheval.scores import load_scores

    def load(layout: str, file: str) -> np.ndarray:
        (matrix,) = load_scores(file).matrices.values()
        return matrix.values

    return load


def _by_polars():
    import polars as pl

    def load(layout: str, file: str) -> np.ndarray:
        if layout == "wide":
            frame = pl.read_parquet(file)
            ids = tuple(map(str, frame["prompt_id"].to_list()))
            names = [name for name in frame.columns if name != "prompt_id"]
            values = np.empty((len(names), len(ids)), dtype=np.float32)
            for row, name in zip(values, names, strict=True):
                row[:] = frame[name].to_numpy()
            return values
        frame = pl.read_csv(file, schema_overrides={"prompt_id": pl.String})
        codes = {
            name: frame[name].cast(pl.Categorical).to_physical().to_numpy()
            for name in ("variant", "prompt_id")
        }
        sizes = [len(np.unique(one)) for one in codes.values()]
        places = [np.unique(one, return_inverse=True)[1] for one in codes.values()]
        values = np.full(sizes, np.nan, dtype=np.float32)
        values[places[0], places[1]] = frame["score"].to_numpy()
        return values

    return load


if __name__ == "__main__":
    main()
