"""The evidence of all subsets, as one table."""

import csv

import pandas as pd

from flasheval.subset.upload.tables import evidence_rows, write_evidence


def test_a_row_for_each_subset_kind_of_splits_and_metric(make_subset, tmp_path):
    one, both = make_subset(), make_subset("both", 50, ("clip", "hps"))
    none = make_subset("none", evidence=False)
    rows = list(evidence_rows([one, both, none]))
    assert [(row["subset"], row["splits"], row["metric"]) for row in rows] == [
        ("things-clip-5", "random:2", "clip"),
        ("things-clip-5", "group:base_model", "clip"),
        *(
            ("both", splits, metric)
            for splits in ("random:2", "group:base_model")
            for metric in ("mean", "clip", "hps")
        ),
    ]
    write_evidence([one, both, none], tmp_path / "e.csv")
    with (tmp_path / "e.csv").open(encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 1 + 8
    table = pd.read_csv(tmp_path / "e.csv")
    assert table["held_out_tau"].tolist()[:2] == [0.8, 0.7]
    assert table["interval"].tolist()[:2] == ["5-95%", "min-max"]
    assert table["equivalent_random_size_high"].tolist()[0] == ">5000"
    assert set(table["evidence_of"]) == {"procedure"}
