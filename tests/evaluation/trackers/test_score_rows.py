from flasheval.evaluation.trackers.score_rows import markdown_table, score_columns, score_rows


def test_a_row_a_prompt_and_a_column_a_metric(report):
    one = report(0.25, None)
    assert score_columns(one) == ["step", "prompt", "text", "CLIP", "Quality"]
    assert score_rows(one, 7) == [
        [7, "p0", "a red | square", 0.25, 0.0],
        [7, "p1", "two\nblue cats", None, 1.0],
    ]


def test_a_subset_without_texts_has_rows_too(report):
    from dataclasses import replace

    one = report(0.25)
    bare = replace(one, subset=one.subset.without_texts())
    assert score_rows(bare, 7) == [[7, "p0", None, 0.25, 0.0]]


def test_texts_cannot_break_the_markdown(report):
    lines = markdown_table(report(1 / 3, None, 2.0), 7).split("\n")
    assert lines == [
        "| step | prompt | text | CLIP | Quality |",
        "| --- | --- | --- | --- | --- |",
        "| 7 | p0 | a red \\| square | 0.333333 | 0 |",
        "| 7 | p1 | two blue cats |  | 1 |",
        "| 7 | p2 | grün, \\\\ and more | 2 | 2 |",
    ]
