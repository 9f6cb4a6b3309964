"""Judges behind an endpoint that misbehaves: what is asked again, kept, told and never told."""

import json
import runpy
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import DataError, SettingError
from flasheval.generators.function import FunctionSettings
from flasheval.prompts import PromptSet
from flasheval.runs.run import run
from flasheval.runs.status.run_status import read_status
from flasheval.scorers.judges.asking import Ask
from flasheval.scorers.judges.endpoint import EndpointSettings
from flasheval.scorers.judges.http_calls import Calls, EndpointError, RefusedError
from flasheval.scorers.judges.http_model import HttpModel
from flasheval.scorers.judges.vqa import VqaSettings

_server = runpy.run_path(str(Path(__file__).parents[2] / "misbehaving_server.py"))
Server, share_of = _server["Server"], _server["share_of"]


@pytest.fixture
def model(tmp_path):
    """A function: model(server, **settings) -> an HttpModel that keeps its waits in a list."""

    def make(server, **settings):
        settings = {"cache": str(tmp_path / "cache"), "concurrency": 3, **settings}
        endpoint = EndpointSettings(server.url, "m", **settings)
        waits = []
        made = HttpModel(endpoint, Calls(endpoint, waits.append))
        made.waits = waits
        return made

    return make


def asks(pictures, texts=("a cat?", "a dog?")):
    return [Ask(image, text) for image in pictures for text in texts]


def expected(wanted):
    return [share_of(ask.image.tobytes(), ask.text) for ask in wanted]


def test_answers_are_read_counted_and_kept(model, pictures):
    wanted = asks(pictures)
    with Server() as server:
        first = model(server)
        found = first.yes([*wanted, wanted[0]], 8)
        np.testing.assert_allclose([one.yes for one in found[:-1]], expected(wanted), atol=1e-12)
        assert found[0] == found[-1]
        np.testing.assert_allclose([one.mass for one in found], 0.9)
        assert server.calls == {"ok": 7}  # a probe, and each question once
        assert first.record() == {
            "calls": 7,
            "prompt_tokens": 700,
            "completion_tokens": 7,
            "models": ["m-1"],
        }
        again = model(server)
        assert again.yes(wanted, 8) == found[:-1]
        assert again.record() == {"cached": 6}
        assert server.calls == {"ok": 7}
        body = server.bodies[-1]
        assert (body["temperature"], body["max_tokens"], body["top_logprobs"]) == (0, 1, 20)


@pytest.mark.parametrize("fault", ["429", "500", "503", "half", "json", "keys", "drop"])
def test_what_passes_is_asked_again_with_more_and_more_patience(model, pictures, fault):
    wanted = asks(pictures[:1])
    with Server(lambda number: fault if number in (1, 2) else "ok") as server:
        asked = model(server, concurrency=1)
        found = asked.yes(wanted, 8)
        np.testing.assert_allclose([one.yes for one in found], expected(wanted), atol=1e-12)
        assert asked.record()["retries"] == 2
        first, second = asked.waits
        assert 0.25 <= first <= 0.5 <= second <= 1.0
        assert server.calls == {"ok": 3, fault: 2}


def test_what_an_endpoint_asks_to_wait_holds_for_all_calls(model, pictures):
    with Server(lambda number: "429" if number == 1 else "ok") as server:
        server.retry_after = "7"
        asked = model(server, concurrency=1)
        asked.yes(asks(pictures[:1]), 8)
        assert 6 < max(asked.waits) <= 7
        soon = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 9))
        server.retry_after, server.behave = soon, lambda number: "429" if number == 4 else "ok"
        again = model(server, concurrency=1)
        again.yes(asks(pictures[1:2], ("a hen?",)), 8)
        assert 5 < max(again.waits) <= 9


def test_a_slow_answer_is_given_up_in_its_time(model, pictures):
    with Server(lambda number: "drip" if number == 1 else "ok") as server:
        asked = model(server, timeout=0.3, concurrency=1)
        begun = time.monotonic()
        found = asked.yes(asks(pictures[:1], ("a cat?",)), 8)
        assert time.monotonic() - begun < 2
        assert found[0].reason is None
        assert asked.record()["retries"] == 1


def test_an_endpoint_that_stays_down_is_one_line_and_loses_nothing(model, pictures):
    wanted = asks(pictures)
    with Server(lambda number: "ok" if number < 4 else "500") as server:
        asked = model(server, retries=1, concurrency=1)
        with pytest.raises(
            EndpointError, match=r"2 tries failed, the last one: HTTP 500 .*no luck"
        ):
            asked.yes(wanted, 8)
        server.behave = lambda number: "ok"
        found = model(server).yes(wanted, 8)
        np.testing.assert_allclose([one.yes for one in found], expected(wanted), atol=1e-12)
        assert max(server.asked.values()) == 1
    with pytest.raises(EndpointError, match="tries failed, the last one: ConnectionRefusedError"):
        model(server, retries=1).yes([Ask(pictures[0], "new?")], 8)


@pytest.mark.parametrize("status", ["400", "401", "404", "302"])
def test_a_request_that_is_refused_is_not_repeated(model, pictures, status):
    with Server(lambda number: status if number else "ok") as server:
        with pytest.raises(RefusedError, match=f"HTTP {status} for model=m: .*no luck"):
            model(server, concurrency=1).yes(asks(pictures), 8)
        assert server.calls == {"ok": 1, status: 1}


def test_no_more_calls_at_a_time_than_allowed(model, pictures):
    with Server() as server:
        server.pause = 0.02
        model(server, concurrency=3).yes(asks(pictures, tuple("abcdefgh")), 8)
        assert server.most == 3


def test_the_cap_on_calls_counts_every_try(model, pictures):
    with Server(lambda number: "500" if number == 1 else "ok") as server:
        asked = model(server, max_calls=4, concurrency=1)
        with pytest.raises(EndpointError, match="max_calls=4 is reached; set a higher one and run"):
            asked.yes(asks(pictures), 8)
        assert server.calls.total() == 4
        assert len(model(server).yes(asks(pictures), 8)) == 6
        assert max(server.asked.values()) == 1


def test_answers_are_kept_under_the_model_id_returned(model, pictures):
    wanted = asks(pictures[:1])
    with Server() as server:
        model(server).yes(wanted, 8)
        server.model = "m-2"
        asked = model(server)
        asked.yes([Ask(pictures[1], "new?")], 8)  # the endpoint is seen to have changed
        assert asked.record()["models"] == ["m-2"]
        before = server.calls.total()
        asked.yes(wanted, 8)
        assert server.calls.total() == before + 2


def test_a_probe_finds_what_an_endpoint_cannot_do(model, pictures, tmp_path):
    with Server() as server:
        server.logprobs = False
        with pytest.raises(DataError, match="m gives no log probabilities; logprobs: false takes"):
            model(server).yes(asks(pictures), 8)
        hard = model(server, logprobs=False)
        server.behave = lambda number: "text:No, it is not." if number % 2 else "text:**Yes**."
        assert {one.yes for one in hard.yes(asks(pictures), 8)} == {0.0, 1.0}
    small = "an image of 256 x 256 pixels: image_side makes images"
    with Server(lambda number: "413") as server, pytest.raises(DataError, match=small):
        model(server, cache=str(tmp_path)).yes(asks(pictures), 8)


def test_a_refusal_has_no_score_and_is_kept(model, pictures):
    with Server(lambda number: "refuse" if number else "ok") as server:
        (found,) = model(server).yes(asks(pictures[:1], ("a cat?",)), 8)
        assert np.isnan(found.yes)
        assert found.reason == "the endpoint refused to answer"
        assert model(server).say(asks(pictures[:1], ("a cat?",)), 8, 9)[0].text is None
        before = server.calls.total()
        assert model(server).yes(asks(pictures[:1], ("a cat?",)), 8)[0].reason == found.reason
        assert server.calls.total() == before


def test_a_key_goes_to_the_endpoint_and_nowhere_else(model, pictures, monkeypatch, tmp_path):
    monkeypatch.setenv("FLASHEVAL_TEST_KEY", "sk-secret")
    with Server(lambda number: "401" if number > 2 else "ok") as server:
        asked = model(server, key_variable="FLASHEVAL_TEST_KEY", concurrency=1)
        with pytest.raises(RefusedError) as told:
            asked.yes(asks(pictures), 8)
        assert server.keys == {"Bearer sk-secret"}
        assert "sk-secret" not in str(told.value)
        assert "no luck, Bearer ***" in str(told.value)
        del asked
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert kept
    assert b"sk-secret" not in kept
    monkeypatch.delenv("FLASHEVAL_TEST_KEY")
    with pytest.raises(SettingError, match="variable FLASHEVAL_TEST_KEY is not set; export it"):
        model(server, key_variable="FLASHEVAL_TEST_KEY")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "ftp://x/v1"}, "url='ftp://x/v1'; expected one such as http://localhost:8000/v1"),
        ({"url": "http://me:pw@x/v1"}, "the url holds a password or a query"),
        ({"url": "http://x/v1?key=1"}, "the url holds a password or a query"),
        ({"model": ""}, "model is missing"),
        ({"key_variable": "AWS_SECRET_ACCESS_KEY"}, "expected the name of a variable that begins"),
        ({"key_variable": "FLASHEVAL_KEY"}, "a key is sent over https or to this machine only"),
        ({"concurrency": 0}, "concurrency=0; expected 1 or more"),
        ({"max_calls": 0}, "max_calls=0; expected 1 or more"),
        ({"timeout": 0.0}, "timeout=0; expected seconds above 0"),
    ],
)
def test_a_mistake_in_the_settings_is_one_line(settings, message):
    with pytest.raises(SettingError, match=message):
        EndpointSettings(**{"url": "http://example.org/v1", "model": "m", **settings})


def test_a_damaged_cache_is_told(model, pictures, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "answers.sqlite").write_bytes(b"no database at all, but some text" * 99)
    with (
        Server() as server,
        pytest.raises(DataError, match=r"answers.sqlite cannot be used \(file"),
    ):
        model(server)


def test_what_is_kept_is_there_for_another_process(model, pictures, tmp_path):
    with Server() as server:
        model(server).yes(asks(pictures[:1]), 8)
    base = sqlite3.connect(tmp_path / "cache" / "answers.sqlite")
    bodies = [json.loads(body) for (body,) in base.execute("SELECT body FROM answers")]
    base.close()
    assert len(bodies) == 3
    assert {one["model"] for one in bodies} == {"m-1"}


def test_version_and_identity_name_the_model_and_what_is_asked():
    endpoint = EndpointSettings("http://a/v1", "qwen")
    own = VqaSettings(endpoint=endpoint)
    assert own.version.startswith("qwen@endpoint asks:")
    elsewhere = VqaSettings(endpoint=EndpointSettings("http://b/v1", "qwen", concurrency=1))
    assert elsewhere.identity() == own.identity()
    hard = VqaSettings(endpoint=EndpointSettings("http://a/v1", "qwen", logprobs=False))
    assert hard.version != own.version
    assert "api" not in json.dumps(own.identity())


PAINT = """
import numpy as np

def paint(prompts, seeds, shift=0):
    drawn = [np.random.default_rng(seed + shift) for seed in seeds]
    return [one.integers(0, 256, (8, 8, 3), dtype="u1") for one in drawn]

""" + "".join(f"def v{n}(prompts, seeds): return paint(prompts, seeds, {n})\n" for n in range(8))


def test_a_run_goes_on_where_a_failing_endpoint_stopped_it(tmp_path):
    (tmp_path / "paint.py").write_text(PAINT)
    numbers = tuple(map(str, range(12)))
    prompts = PromptSet("things", numbers, tuple(f"thing {number}" for number in numbers))
    population = {
        "settings": {"generator": "function"},
        "variants": [{"name": "noise", "function": f"{tmp_path}/paint.py:paint"}],
    }
    with Server(lambda number: "ok" if number < 8 else "404") as server:
        endpoint = {"url": server.url, "model": "m", "cache": str(tmp_path / "c"), "concurrency": 1}
        scorers = [{"name": "vqa", "endpoint": endpoint}]
        settings = {"out": tmp_path / "run", "progress": False, "device": "cpu", "chunk": 4}
        broken = run(population, prompts, scorers, **settings)
        assert broken.failures
        server.behave = lambda number: "ok"
        whole = run(population, prompts, scorers, **settings)
        assert not whole.failures
        assert np.isfinite(whole.scores["VQAScore"].values).all()
        assert server.asked.total() == 12 + 1
        status = read_status(tmp_path / "run")
    assert status.judged.calls + status.judged.cached >= 12
    assert status.judged.models == ("m-1",)
    assert " of m-1, " in status.judged.in_words()


def test_a_judges_scores_are_searched_ranked_and_evaluated(tmp_path):
    (tmp_path / "paint.py").write_text(PAINT)
    numbers = tuple(map(str, range(24)))
    prompts = PromptSet("things", numbers, tuple(f"thing {number}" for number in numbers))
    population = {
        "settings": {"generator": "function"},
        "variants": [{"name": f"v{n}", "function": f"{tmp_path}/paint.py:v{n}"} for n in range(8)],
    }
    with Server() as server:
        endpoint = {"url": server.url, "model": "m", "cache": str(tmp_path / "c")}
        scorers = [{"name": "vqa", "endpoint": endpoint}]
        whole = run(population, prompts, scorers, out=tmp_path / "run", progress=False)
        table = whole.scores
        assert np.isfinite(table["VQAScore"].values).all()
        found = flasheval.search(
            table, size=6, method="frequency", splits="random:2", calibrate=False, progress=False
        )
        assert found.subset.record.scorers["VQAScore"] == table["VQAScore"].scorer_version
        board = flasheval.rank(table, draws=200)
        assert len(board.standings[0].variants) == len(table.variant_names)
        generator = FunctionSettings(f"{tmp_path}/paint.py:v3")
        before = server.calls.total()
        report = flasheval.evaluate(
            generator, found.subset.with_texts(prompts), scorers, device="cpu", progress=False
        )
        assert server.calls.total() == before  # all of it was asked before
    rows = prompts.index_of(found.subset.ids)
    np.testing.assert_allclose(
        report.metrics["VQAScore"].values, table["VQAScore"].values[3, rows], atol=1e-6
    )
