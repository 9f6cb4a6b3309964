"""Files of questions in the layouts of DSG, TIFA, Soft-TIFA and our own, and what they refuse."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.scorers.judges.question_list import Question, read_questions
from flasheval.scorers.judges.questions import averaged, with_parents


def written(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text if isinstance(text, str) else json.dumps(text), "utf-8")
    return str(file)


def test_one_question_a_row_as_in_dsg(tmp_path):
    file = written(
        tmp_path,
        "dsg.csv",
        "item_id,text,proposition_id,dependency,category_broad,question_natural_language\n"
        "a1,A red cat.,1,0,entity,Is there a cat?\n"
        "a1,A red cat.,2,1,attribute,Is the cat red?\n"
        "a2,A dog and a hat.,1,0,entity,Is there a dog?\n"
        'a2,A dog and a hat.,2,"1, 1",relation,Does it wear a hat?\n',
    )
    found = read_questions(file)
    assert found.of("A red cat.") == (
        Question("1", "Is there a cat?", "yes", (), "entity"),
        Question("2", "Is the cat red?", "yes", ("1",), "attribute"),
    )
    assert found.of("A dog and a hat.")[1].parents == ("1",)
    assert found.tags == ("attribute", "entity", "relation")


def test_one_question_an_object_as_in_tifa(tmp_path):
    rows = [
        {
            "id": "coco_1",
            "caption": "Two cats.",
            "question": question,
            "choices": ["yes", "no"],
            "answer": answer,
            "element_type": kind,
        }
        for question, answer, kind in [
            ("Are there cats?", "yes", "animal"),
            ("Are there dogs?", "No.", "animal"),
            ("How many cats are there?", "2", "counting"),
        ]
    ]
    found = read_questions(written(tmp_path, "tifa.json", rows)).of("Two cats.")
    assert [(q.answer, q.tag) for q in found] == [
        ("yes", "animal"),
        ("no", "animal"),
        ("2", "counting"),
    ]


def test_lists_of_pairs_as_in_soft_tifa_and_of_objects(tmp_path):
    lines = [
        {
            "prompt": "three cats",
            "vqa_list": [["How many cats?", "three"], ["Are there cats?", "Yes"]],
            "skills": ["count", "object"],
        },
        {"prompt": "a hat", "vqa_list": [["Is there a hat?", "yes"]], "skills": ["object"]},
    ]
    file = written(tmp_path, "soft.jsonl", "\n".join(map(json.dumps, lines)))
    found = read_questions(file)
    assert [(q.id, q.answer, q.tag) for q in found.of("three cats")] == [
        ("1", "three", "count"),
        ("2", "yes", "object"),
    ]
    own = [
        {
            "prompt": "a hat",
            "questions": [
                {"id": "h", "question": "A hat?", "tag": "object"},
                {"id": "r", "question": "Red?", "answer": "no", "depends_on": ["h"]},
            ],
        }
    ]
    assert read_questions(written(tmp_path, "own.json", own)).of("a hat") == (
        Question("h", "A hat?", "yes", (), "object"),
        Question("r", "Red?", "no", ("h",), ""),
    )


def test_the_hash_tells_the_questions_not_the_form(tmp_path):
    csv = written(tmp_path, "a.csv", "prompt,question\nA cat.,Is there a cat?\n")
    listed = written(tmp_path, "a.json", [{"prompt": "A cat.", "questions": ["Is there a cat?"]}])
    other = written(tmp_path, "b.csv", "prompt,question\nA cat.,Is it a cat?\n")
    assert read_questions(csv).hash == read_questions(listed).hash != read_questions(other).hash


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "A cat.", "questions=.*a.txt is plain text; give a CSV, JSON or Parquet file"),
        ("a.csv", "prompt,kind\nA cat.,cat\n", "has no column of questions; call it question or"),
        (
            "a.csv",
            "prompt,question,question_id,depends_on\nA cat.,Cat?,1,7\n",
            "'A cat.': question '1' depends on '7', which is none of its questions: 1",
        ),
        (
            "a.csv",
            "prompt,question,question_id,depends_on\nA cat.,Cat?,1,2\nA cat.,Big?,2,1\n",
            "its questions 1, 2 depend on each other in a circle",
        ),
        (
            "a.csv",
            "prompt,question,question_id\nA cat.,Cat?,1\nA cat.,Big?,1\n",
            "has two questions with the id '1'",
        ),
        ("a.csv", "prompt,question\nA cat.,\n", "has no questions in its column 'question'"),
        (
            "a.json",
            [{"prompt": "A cat.", "questions": [["A?", "b", "c"]]}],
            "question 1 is no pair of question and answer",
        ),
    ],
)
def test_a_mistake_is_one_line(tmp_path, name, text, message):
    with pytest.raises(DataError, match=message):
        read_questions(written(tmp_path, name, text))


def test_a_prompt_that_the_file_lacks_is_named(tmp_path):
    found = read_questions(written(tmp_path, "a.csv", "prompt,question\nA cat.,Cat?\n"))
    with pytest.raises(DataError, match=r"has no prompt 'A dog\.'; give the file that the prompts"):
        found.of("A dog.")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.data())
def test_a_question_is_never_likelier_right_than_what_it_depends_on(values, data):
    questions = [
        Question(
            str(place),
            "?",
            parents=tuple(
                map(str, data.draw(st.sets(st.integers(0, place - 1)) if place else st.just([])))
            ),
        )
        for place in range(len(values))
    ]
    found = with_parents(questions, values)
    for question, value, alone in zip(questions, found, values, strict=True):
        assert value <= alone
        for parent in question.parents:
            assert value <= found[int(parent)]
    assert 0 <= averaged(found, "geometric") <= averaged(found, "soft") + 1e-12 <= 1 + 1e-12
