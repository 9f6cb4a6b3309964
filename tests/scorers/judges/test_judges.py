"""The judges with a model that answers as it is told: scores, reasons, details and versions."""

import json
import math

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.scorers.judges.asking import Said, YesNo
from flasheval.scorers.judges.questions import QuestionsScorer, QuestionsSettings
from flasheval.scorers.judges.read_text import (
    ReadTextScorer,
    ReadTextSettings,
    edit_similarity,
    quoted,
)
from flasheval.scorers.judges.rubric import RubricScorer, RubricSettings, number_in
from flasheval.scorers.judges.vqa import VqaScorer, VqaSettings
from flasheval.scorers.registry import make_scorer
from flasheval.scorers.scorer import Grader, grades_of


class Told:
    """A model that answers by what a question holds; it keeps what it was asked."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def _of(self, ask):
        self.asked.append(ask)
        return next(value for key, value in self.answers.items() if key in ask.text)

    def yes(self, asks, batch):
        found = map(self._of, asks)
        return [one if isinstance(one, YesNo) else YesNo(one, 0.9) for one in found]

    def say(self, asks, batch, most_tokens):
        found = map(self._of, asks)
        return [one if isinstance(one, Said) else Said(one) for one in found]

    def record(self):
        return {"calls": len(self.asked)}


def test_vqa_asks_by_its_template_and_doubts_answers_that_are_none(pictures):
    model = Told({"cat": 0.8, "dog": YesNo(0.7, 0.001), "hen": YesNo(reason="it fell over")})
    own = VqaSettings(template="See {prompt}?", system="Be strict.", image_side=20)
    scorer = VqaScorer(own, "1", model)
    assert isinstance(scorer, Grader)
    grades = grades_of(scorer, pictures, ["a cat {low}", "a dog", "a hen"])
    assert model.asked[0].text == "See a cat {low}?"
    assert model.asked[0].system == "Be strict."
    assert [ask.image.size for ask in model.asked] == [(20, 12), (12, 20), (20, 20)]
    np.testing.assert_array_equal([one.score for one in grades], [0.8, np.nan, np.nan])
    assert grades[0].details == {"yes": 0.8, "mass": 0.9}
    assert [one.reason for one in grades] == [
        None,
        "VQAScore gives no score: the model would say neither yes nor no",
        "VQAScore gives no score: it fell over",
    ]


QUESTIONS = {
    "a red cat": [
        {"id": "c", "question": "Is there a cat?", "tag": "object"},
        {"id": "r", "question": "Is the cat red?", "tag": "color", "depends_on": ["c"]},
        {"id": "d", "question": "Is there a dog?", "answer": "no", "tag": "object"},
        {"id": "n", "question": "How many cats?", "answer": "one", "tag": "count"},
    ],
    "nothing": [],
}


@pytest.fixture
def questions(tmp_path):
    file = tmp_path / "questions.json"
    rows = [{"prompt": text, "questions": own} for text, own in QUESTIONS.items()]
    file.write_text(json.dumps(rows), "utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("average", "only", "expected"),
    [
        # c .9, r .9 x .4, d 1 - .2, n .6
        ("soft", None, (0.9 + 0.36 + 0.8 + 0.6) / 4),
        ("geometric", None, (0.9 * 0.36 * 0.8 * 0.6) ** 0.25),
        ("hard", None, 3 / 4),
        ("soft", "object", (0.9 + 0.8) / 2),
        ("soft", "color", 0.36),
        ("hard", "color", 0.0),
    ],
)
def test_questions_are_averaged_with_what_they_depend_on(
    pictures, questions, average, only, expected
):
    model = Told({"there a cat": 0.9, "red?": 0.4, "dog?": 0.2, 'answer "one"': 0.6})
    settings = QuestionsSettings(questions=questions, average=average, only=only)
    (grade,) = QuestionsScorer(settings, "1", model).grade(pictures[:1], ["a red cat"])
    assert grade.score == pytest.approx(expected)
    assert [one["id"] for one in grade.details["questions"]] == ["c", "r", "d", "n"]
    assert [one["tag"] for one in grade.details["questions"]] == [
        "object",
        "color",
        "object",
        "count",
    ]
    assert grade.details["questions"][2]["yes"] == 0.2
    assert model.asked[3].text == 'How many cats? Is the answer "one"? Answer yes or no.'


def test_a_question_without_an_answer_takes_the_score_and_says_why(pictures, questions):
    model = Told({"there a cat": YesNo(reason="no luck"), "?": 0.9})
    scorer = QuestionsScorer(QuestionsSettings(questions=questions), "1", model)
    first, empty = scorer.grade(pictures[:2], ["a red cat", "nothing"])
    assert math.isnan(first.score)
    assert first.reason == "a question has no answer: no luck"
    assert "score" not in first.details["questions"][0]
    assert empty.reason == "the prompt has no questions"
    with pytest.raises(DataError, match="has no prompt 'a hen'"):
        scorer.score(pictures[:1], ["a hen"])
    with pytest.raises(SettingError, match=r"only=colour: no question .* did you mean 'color'"):
        QuestionsSettings(questions=questions, only="colour").question_list  # noqa: B018


def test_read_text_compares_what_is_read_with_what_is_asked_for(pictures, tmp_path):
    prompts = ['a sign "Open now"', "no text at all", "a cup with “Tea”"]
    model = Told({"text": "OPEN  NOW"})
    for measure, first, third in (("edit", 1.0, 0.0), ("words", 1.0, 0.0), ("exact", 1.0, 0.0)):
        scorer = ReadTextScorer(ReadTextSettings(measure=measure), "1", model)
        found = scorer.grade(pictures, prompts)
        assert found[0].score == first
        assert found[2].score == pytest.approx(third, abs=0.2)
        assert found[1].reason == "the prompt asks for no text in quotes"
        assert found[0].details["asked"] == "Open now"
        assert found[0].details["read"] == "OPEN  NOW"
    strict = ReadTextScorer(ReadTextSettings(measure="exact", case=True), "1", model)
    assert strict.score(pictures[:1], prompts[:1]) == [0.0]
    columns = tmp_path / "texts.csv"
    columns.write_text("prompt,sign\nno text at all,open\n")
    told = ReadTextSettings(columns=str(columns), column="sign")
    (grade,) = ReadTextScorer(told, "1", Told({"text": '"Open"'})).grade(pictures[:1], prompts[1:2])
    assert (grade.score, grade.details["read"]) == (1.0, "Open")
    with pytest.raises(SettingError, match=r"column=text_asked: .* no such column; it has sign"):
        ReadTextSettings(columns=str(columns)).texts_asked  # noqa: B018


@pytest.mark.parametrize("said", ["none", "None.", '"none"', "", "There is no text."])
def test_an_answer_that_there_is_no_text_reads_nothing(pictures, said):
    scorer = ReadTextScorer(ReadTextSettings(), "1", Told({"text": said}))
    assert scorer.score(pictures[:1], ['"open"']) == [0.0]


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("a dog's bowl and the cats' toys", []),
        ("the words 'it's here' in red", ["it's here"]),
        ('"a" and "b"', ["a", "b"]),
        ("„", []),
        ("\u2018Hi\u2019 beside «là»", ["là", "Hi"]),
    ],
)
def test_texts_in_quotes(prompt, texts):
    assert sorted(quoted(prompt)) == sorted(texts)


def test_edit_similarity_is_levenshteins():
    def slow(a, b):
        if not a or not b:
            return len(a) + len(b)
        same = slow(a[1:], b[1:]) + (a[0] != b[0])
        return min(same, 1 + slow(a[1:], b), 1 + slow(a, b[1:]))

    rng = np.random.default_rng(0)
    for _ in range(30):
        a, b = ("".join(rng.choice(list("abc"), rng.integers(0, 6))) for _ in "ab")
        longest = max(len(a), len(b), 1)
        assert edit_similarity(a, b) == pytest.approx(1 - slow(a, b) / longest)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("7", 7),
        ("Score: 7", 7),
        ("**Score:** 8.5/10", 8.5),
        ('{"reason": "3 of 4 cats", "score": 6}', 6),
        ("I count 3 cats. My rating is 4", 4),
        ("First score: 3. After all, score: 5", 5),
        ("9 out of 10", 9),
        ("7,5", 7.5),
        ("Score: 11", "the grade lies outside of 0 to 10"),
        ("I am sorry, I cannot.", "no number in the answer"),
        ("3 cats and 4 dogs", "several numbers in the answer"),
        ("", "no number in the answer"),
    ],
)
def test_a_grade_is_read_from_a_free_answer(answer, expected):
    score, reason = number_in(answer, 0, 10)
    if isinstance(expected, str):
        assert math.isnan(score)
        assert reason == expected
    else:
        assert (score, reason) == (expected, None)


def test_rubric_fills_in_its_scale_and_keeps_the_answer(pictures):
    model = Told({"from 1 to 5": "Nice. Score: 4", "a dog": "No idea"})
    settings = RubricSettings(rubric="{prompt} from {low} to {high}", low=1, high=5)
    (grade,) = RubricScorer(settings, "1", model).grade(pictures[:1], ["a cat"])
    assert model.asked[0].text == "a cat from 1 to 5"
    assert (grade.score, grade.details) == (4.0, {"answer": "Nice. Score: 4"})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"name": "vqa", "template": "Cat?"}, r"scorer vqa: template='Cat\?' has no \{prompt\}"),
        ({"name": "vqa", "least_mass": 2}, "least_mass=2; expected a number from 0 to 1"),
        ({"name": "vqa", "image_side": 0}, "image_side=0; expected a number of pixels"),
        ({"name": "rubric", "low": 5, "high": 1}, "low=5 and high=1; expected low below high"),
        ({"name": "rubric", "most_tokens": 0}, "most_tokens=0; expected a whole number above 0"),
        ({"name": "questions", "with_answer": "{question}"}, r"has no \{answer\}"),
        ({"name": "read-text", "measure": "bleu"}, "measure is .*one of"),
    ],
)
def test_a_mistake_in_the_settings_is_one_line(entry, message):
    with pytest.raises(SettingError, match=message):
        make_scorer(entry)


def test_versions_and_identities_tell_what_is_asked(judge_folder, questions, tmp_path):
    import shutil

    folder = shutil.copytree(judge_folder("smolvlm"), tmp_path / "smol")
    base = VqaSettings(checkpoint=str(folder))
    label, dtype, asks = base.version.split(" ")
    assert (label.startswith("smol@"), dtype, asks.startswith("asks:")) == (True, "auto", True)
    others = [
        VqaSettings(checkpoint=str(folder), template="{prompt}?"),
        VqaSettings(checkpoint=str(folder), system="x"),
        VqaSettings(checkpoint=str(folder), image_side=64),
        QuestionsSettings(checkpoint=str(folder), questions=questions),
        QuestionsSettings(checkpoint=str(folder), questions=questions, only="color"),
        QuestionsSettings(checkpoint=str(folder), questions=questions, average="hard"),
        RubricSettings(checkpoint=str(folder)),
        ReadTextSettings(checkpoint=str(folder)),
    ]
    assert len({one.version for one in (base, *others)}) == 9
    assert len({json.dumps(one.identity()) for one in (base, *others)}) == 9
    assert VqaSettings(checkpoint=str(folder), batch=1).identity() == base.identity()
    before = base.identity()
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text() + "\n")
    after = VqaSettings(checkpoint=str(folder)).identity()
    assert {key for key in before if before[key] != after[key]} == {"chat_template"}
