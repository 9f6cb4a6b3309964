"""Lists of questions about prompts, read from a file of any usual layout."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasheval.base.canonical import JSON, sha256_of
from flasheval.base.columns import Columns
from flasheval.base.errors import DataError
from flasheval.base.files import content_suffix
from flasheval.base.suggest import nearest
from flasheval.base.table_files import TABLE_SUFFIXES, read_columns
from flasheval.base.text import plain_name
from flasheval.prompts.documents import prompts_in
from flasheval.prompts.prompt_columns import found_prompts

__all__ = ["Question", "QuestionList", "read_questions"]

# In plain form; those that say it best first.
_TEXTS = ("question_natural_language", "question", "questions", "vqa_list", "qa")
_ANSWERS = ("answer", "answers", "expected", "gt_answer")
_IDS = ("question_id", "proposition_id", "qid", "id")
_PARENTS = ("depends_on", "dependency", "dependencies", "parents", "parent")
_TAGS = (
    *("tag", "tags", "skill", "skills", "category_broad", "element_type", "question_type"),
    *("type", "category"),
)


@dataclass(frozen=True)
class Question:
    """A question about a prompt's image.

    Attributes:
        id: Its id among those of its prompt.
        text: The question.
        answer: The answer that counts as right: yes, no, or a few words.
        parents: Ids of the questions without whose right answers this one is senseless.
        tag: What it is about, such as color; empty where the file does not say.

    """

    id: str
    text: str
    answer: str = "yes"
    parents: tuple[str, ...] = ()
    tag: str = ""


@dataclass(frozen=True)
class QuestionList:
    """The questions of each prompt, found by the prompt's text.

    >>> one = Question("1", "Is there a cat?", tag="object")
    >>> some = QuestionList("q.jsonl", {"A cat.": (one,)})
    >>> some.of("A cat.")[0].text, some.tags
    ('Is there a cat?', ('object',))
    """

    path: str
    by_text: Mapping[str, tuple[Question, ...]]

    def of(self, text: str) -> tuple[Question, ...]:
        """Return a prompt's questions. Raises DataError where the file does not have the prompt."""
        found = self.by_text.get(text)
        if found is None:
            raise DataError(
                f"questions={self.path} has no prompt {text[:60]!r}; give the file that the "
                "prompts scored come from"
            )
        return found

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of all questions, sorted."""
        return tuple(sorted({q.tag for own in self.by_text.values() for q in own if q.tag}))

    def as_data(self) -> JSON:
        """Return all of it as JSON data, for a hash: the file's form does not matter."""
        return {
            text: [[q.id, q.text, q.answer, list(q.parents), q.tag] for q in own]
            for text, own in self.by_text.items()
        }

    @property
    def hash(self) -> str:
        """A hash of all questions, 24 hex digits."""
        return sha256_of(self.as_data(), path=f"questions={self.path}")[:24]


def read_questions(path: str) -> QuestionList:
    """Read questions: one a row (DSG, DPG-Bench, TIFA) or a list of them a row (Soft-TIFA).

    A row of one question has its text (``question``, ``question_natural_language``) and may have
    ``answer``, ``depends_on`` or ``dependency`` (ids; 0 is none), an id (``question_id``,
    ``proposition_id``) and a tag (``tag``, ``skill``, ``category_broad``, ``element_type``). A row
    of several has ``questions``: texts, pairs of question and answer, or objects of these keys; the
    other columns may be lists of as many.

    Raises:
        DataError: No such file, no questions in it, a parent that is no question, or a circle.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "q.csv"
    ...     _ = file.write_text('''prompt,question,question_id,dependency
    ... A red cat.,Is there a cat?,1,0
    ... A red cat.,Is the cat red?,2,1
    ... ''')
    ...     [(q.text, q.parents) for q in read_questions(str(file)).of("A red cat.")]
    [('Is there a cat?', ()), ('Is the cat red?', ('1',))]

    """
    if content_suffix(Path(path)) not in TABLE_SUFFIXES:
        raise DataError(f"questions={path} is plain text; give a CSV, JSON or Parquet file")
    table = read_columns(Path(path), "question file", records_in=prompts_in)
    found = found_prompts(table, None, None, want="required")
    plain = {plain_name(name): name for name in table.names if name not in found.taken}
    texts = _first(plain, _TEXTS)
    if texts is None:
        have = ", ".join(table.names[:12])
        raise DataError(
            f"questions={path} has no column of questions; call it question or questions; it has: "
            f"{have}{nearest('questions', table.names)}"
        )
    columns = {
        "text": texts,
        "answer": _first(plain, _ANSWERS),
        "id": _first(plain, [one for one in _IDS if plain.get(one) not in found.taken]),
        "parents": _first(plain, _PARENTS),
        "tag": _first(plain, _TAGS),
    }
    cells = {key: None if name is None else _cells(table, name) for key, name in columns.items()}
    by_text: dict[str, tuple[Question, ...]] = {}
    groups = found.groups or [(row,) for row in found.rows]
    for text, rows in zip(found.texts or (), groups, strict=True):
        own: list[Question] = list(by_text.get(text, ()))
        for row in rows:
            own += _questions(
                {key: None if cell is None else cell[row] for key, cell in cells.items()},
                len(own),
                f"questions={path}: {table.where(row)}",
            )
        _check(own, f"questions={path}: the prompt {text[:60]!r}")
        by_text[text] = tuple(own)
    if not any(by_text.values()):
        raise DataError(f"questions={path} has no questions in its column {texts!r}")
    return QuestionList(path, by_text)


def _first(plain: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((plain[name] for name in names if name in plain), None)


def _cells(table: Columns, name: str) -> list[Any]:
    return [_parsed(cell) for cell in table.fetch([name])[0].to_pylist()]


def _parsed(cell: Any) -> Any:
    """Return a cell; one of a CSV that is written as a JSON list as that list."""
    if isinstance(cell, str) and cell.startswith("[") and cell.endswith("]"):
        try:
            return json.loads(cell)
        except ValueError:
            return cell
    return cell


def _questions(cells: Mapping[str, Any], known: int, where: str) -> list[Question]:
    """Return the questions of one row, which are numbered from ``known`` on where it has no ids."""
    text = cells["text"]
    if text is None or text == "":
        return []
    if not isinstance(text, list):
        return [_question(cells, known, where)]
    made = []
    for place, one in enumerate(text):
        own = {key: _at(cell, place, len(text)) for key, cell in cells.items() if key != "text"}
        if isinstance(one, list):
            if len(one) != 2 or not all(isinstance(part, str) for part in one):
                raise DataError(f"{where}: question {place + 1} is no pair of question and answer")
            own |= {"text": one[0], "answer": one[1]}
        elif isinstance(one, Mapping):
            keys = {plain_name(str(key)): key for key in one if one[key] is not None}
            named = {"answer": _ANSWERS, "id": _IDS, "parents": _PARENTS, "tag": _TAGS}
            for key, names in {"text": _TEXTS, **named}.items():
                name = _first(keys, names)
                if name is not None:
                    own[key] = one[name]
        else:
            own["text"] = one
        made.append(_question(own, known + place, where))
    return made


def _at(cell: Any, place: int, count: int) -> Any:
    return cell[place] if isinstance(cell, list) and len(cell) == count else None


def _question(cells: Mapping[str, Any], known: int, where: str) -> Question:
    text = cells.get("text")
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"{where}: a question is {text!r}; expected a text")
    answer, own, tag = cells.get("answer"), cells.get("id"), cells.get("tag")
    if isinstance(answer, list | Mapping):
        raise DataError(f"{where}: the answer is a list; expected yes, no, or a few words")
    answer = "yes" if answer is None or not str(answer).strip() else str(answer).strip()
    if answer.lower() in ("true", "false"):
        answer = "yes" if answer.lower() == "true" else "no"
    plain = answer.lower().rstrip(".")
    return Question(
        str(known + 1) if own is None or own == "" else str(own),
        text.strip(),
        plain if plain in ("yes", "no") else answer,
        _parents(cells.get("parents")),
        "" if tag is None else ", ".join(map(str, tag)) if isinstance(tag, list) else str(tag),
    )


def _parents(cell: Any) -> tuple[str, ...]:
    parts = cell if isinstance(cell, list) else re.split(r"[\s,;|]+", str(cell or ""))
    return tuple(dict.fromkeys(str(one) for one in parts if str(one).strip() not in ("", "0", "-")))


def _check(questions: Sequence[Question], where: str) -> None:
    """Raise DataError for ids that are not unique, and for parents that are none."""
    ids = [question.id for question in questions]
    for one in ids:
        if ids.count(one) > 1:
            raise DataError(f"{where} has two questions with the id {one!r}; number them anew")
    by_id = {question.id: question for question in questions}
    for question in questions:
        for parent in question.parents:
            if parent not in by_id:
                raise DataError(
                    f"{where}: question {question.id!r} depends on {parent!r}, which is none of "
                    f"its questions: {', '.join(ids[:12])}"
                )
    done: set[str] = set()
    while len(done) < len(ids):
        ready = {q.id for q in questions if q.id not in done and set(q.parents) <= done}
        if not ready:
            stuck = ", ".join(one for one in ids if one not in done)
            raise DataError(f"{where}: its questions {stuck} depend on each other in a circle")
        done |= ready
