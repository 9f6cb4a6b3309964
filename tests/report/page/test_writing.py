import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from flasheval.base.errors import DataError
from flasheval.report.page.contents import contents_of
from flasheval.report.page.score_sources import scores_of
from flasheval.report.page.writing import write_report

HOSTILE = "<script>document.title='owned'</script>"


class _Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for key, value in attrs if key == "id"]
        self.links += [value for key, value in attrs if key in ("src", "href", "xlink:href")]


def test_the_same_run_gives_the_same_bytes(written, origin, table, tmp_path):
    record = written.contents.subset.record
    origin = replace(origin, subset=replace(origin.subset, record=record))
    again = write_report(origin, tmp_path / "r.html", scores=table)
    assert again.page.read_bytes() == written.page.read_bytes()
    ours, theirs = sorted(written.plots.iterdir()), sorted(again.plots.iterdir())
    assert len(ours) == len(written.contents.plots) == 15
    for one, other in zip(ours, theirs, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert min(Image.open(one).size) > 500


def test_the_page_stands_alone_and_what_is_data_is_escaped(written):
    text = written.page.read_text("utf-8")
    found = _Tags(text)
    assert found.tags.count("script") == 1
    assert HOSTILE not in text
    assert text.count("&lt;script&gt;document.title") > 5 + 2 * 3  # texts, warning, note, names
    assert "$x_1$" in text  # no formula is made of a dollar
    assert all(link.startswith(("#", "data:")) for link in found.links)
    assert not re.search(r"(https?:)?//(?!www\.w3\.org)[\w.]+\.\w+/", text)
    assert "@import" not in text
    assert len(set(found.ids)) == len(found.ids)
    wanted = {link[1:] for link in found.links if link.startswith("#")}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", text))
    assert wanted <= set(found.ids)
    assert text.index("Warnings") < text.index("Does it rank unseen variants?")


def test_a_manifest_alone_says_what_is_missing(origin, tmp_path):
    prompts = tuple(replace(prompt, text=None) for prompt in origin.subset.prompts)
    subset = replace(origin.subset, prompts=prompts)
    bare = replace(origin, folder=None, settings={}, subset=subset)
    written = write_report(bare, tmp_path / "r.html")
    ((what, why),) = written.contents.missing
    assert "near ties" in what
    assert "scores=PATH" in why
    assert [plot.key for plot in written.contents.plots] == [
        "splits",
        "final-0-clip",
        "final-1-fid",
    ]
    text = written.page.read_text("utf-8")
    assert "scores=PATH" in text
    assert "texts are not known" in text


def test_the_metric_asked_for_comes_first(origin, table):
    contents = contents_of(origin, scores_of(origin.subset, table), metric="fid")
    assert contents.prompts.metrics == ["fid", "clip"]
    assert [one.metric for one in contents.tie_tables] == ["fid", "clip"]
    assert [plot.key for plot in contents.final_plots] == ["final-0-fid", "final-1-clip"]
    with pytest.raises(DataError, match=r'made-up-0-clip.fid-balanced-5" serves'):
        contents_of(origin, None, metric="hps")


def test_a_search_that_gives_another_number_now_is_not_shown(origin, table):
    evidence = origin.subset.record.evidence
    taus = [tau - 0.01 for tau in evidence.pooled.held_out_tau_by_split]
    pooled = replace(evidence.pooled, held_out_tau_by_split=tuple(taus))
    record = replace(origin.subset.record, evidence=replace(evidence, pooled=pooled))
    other = replace(origin, subset=replace(origin.subset, record=record))
    contents = contents_of(other, scores_of(other.subset, table))
    assert contents.split_plots == ()
    ((what, why),) = contents.missing
    assert what == "held-out variants by mean"
    assert "searched again, random:" in why


def test_a_search_that_held_nothing_out_claims_nothing(origin, table):
    bare = replace(origin.subset, record=replace(origin.subset.record, evidence=None))
    contents = contents_of(replace(origin, subset=bare), scores_of(bare, table))
    assert contents.answer.startswith("Nothing was held out")
    assert not contents.agreement
    assert contents.ties
    assert contents.missing == []


def test_other_evidence_stands_in_tables_of_its_own(origin, tmp_path):
    evidence = origin.subset.record.evidence
    more = replace(evidence, split_spec="group:base_model", applies_to="this set")
    record = replace(origin.subset.record, further_evidence=(more,))
    origin = replace(origin, subset=replace(origin.subset, record=record))
    contents = write_report(origin, tmp_path / "r.html").contents
    titles = [one.caption for one in contents.evidence]
    assert titles == [
        "random:4: 4 splits, 5 prompts, measured on sets chosen in the same way",
        "group:base_model: 4 splits, 5 prompts, measured on this exact set",
    ]
    assert contents.evidence[0].rows[0][0] == "mean"
    text = (tmp_path / "r.html").read_text("utf-8")
    assert "unless a table says so" in text


def test_numbers_of_a_prompt_are_those_of_its_place(written, table):
    prompts = written.contents.prompts
    assert [row.id for row in prompts.rows] == list(written.contents.subset.ids)
    third = prompts.rows[2]
    place = table.prompts.index_of([third.id])[0]
    mean = table["clip"].values[:, place].mean(dtype=np.float64)
    assert third.cells[0][0].value == pytest.approx(mean)
    assert third.text == table.prompts.texts[place]
    assert prompts.searches == 4
    assert all(row.times.text.endswith(" of 4") for row in prompts.rows)
