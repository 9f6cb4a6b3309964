"""Votes from the columns of a table: who met whom, on which prompt, who won."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.cells import is_text
from flasheval.base.columns import Columns
from flasheval.base.errors import DataError, SettingError
from flasheval.base.suggest import nearest
from flasheval.base.text import plain_name
from flasheval.prompts import PromptSet, text_hash
from flasheval.scores.votes.arrays import VoteArrays
from flasheval.scores.votes.words import Winner, halves_of, one_hot_of, pair_of, role_of, winner_of

__all__ = ["KEYS", "OWN_FORM", "checked_columns", "votes_in"]

KEYS = (
    *("model_a", "model_b", "winner", "prompt", "text", "rater", "seconds", "left"),
    *("image", "image_a", "image_b"),
)
"""What a column of votes may be."""

OWN_FORM = "flasheval.votes"
"""Metadata of the tables that this package writes: there a and b are always places."""

_EITHER = ("prompt", "prompts", "question")

Codes = NDArray[np.int64]


def checked_columns(columns: object) -> dict[str, str]:
    """Return the setting `columns` checked: the column's name for each key given.

    >>> checked_columns({"model_a": "left_image_model"})
    {'model_a': 'left_image_model'}
    >>> checked_columns({"model": "a"})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: columns has no key 'model'; it has: model_a, model_b, ...
    """
    given = {} if columns is None else columns
    if not isinstance(given, Mapping):
        raise SettingError(f"columns={columns}: expected {{model_a: COLUMN, winner: COLUMN, ...}}")
    for key, value in given.items():
        if key not in KEYS:
            raise SettingError(
                f"columns has no key {str(key)!r}; it has: {', '.join(KEYS)}"
                f"{nearest(str(key), KEYS)}"
            )
        if not isinstance(value, str) or not value:
            raise SettingError(f"columns.{key}={value}: expected a column's name")
    return dict(given)


def votes_in(
    columns: Columns, asked: Mapping[str, str], prompts: PromptSet | None = None, name: str = ""
) -> VoteArrays:
    """Return the votes of a table, one a row.

    Args:
        columns: The table.
        asked: Which columns are what, as `checked_columns` returns them; others are told by name.
        prompts: The prompts voted on, where they are known: what the table says must fit.
        name: What the prompt set is called, where they are not.

    Raises:
        DataError: A column that is not there, or a row that cannot be used, with its place.

    """
    if not columns.n_rows:
        raise DataError(f"{columns.path} holds no votes, only column names")
    return _Reader(columns, asked, prompts, name).votes()


@dataclass
class _Reader:
    """The columns of one table, by what they are."""

    columns: Columns
    asked: Mapping[str, str]
    prompts: PromptSet | None
    name: str
    taken: list[str] = field(default_factory=list)

    def votes(self) -> VoteArrays:
        """Read all there is."""
        first, second, variants, sided = self.models()
        prompts, prompt = self.prompts_of()
        left = self.sides(first, second, variants, sided)
        outcome, both_bad = self.winners(first, second, variants, left)
        raters, rater = self.raters()
        return VoteArrays(
            variants,
            prompts,
            first,
            second,
            prompt,
            outcome,
            raters,
            rater,
            both_bad,
            left,
            self.seconds(),
            self.images(),
        )

    def find(self, key: str, role: str | None = None) -> str | None:
        """Return the column asked for under a key, or told by its name; None without one."""
        if key in self.asked:
            found = self._named(self.asked[key], key)
        else:
            left = [one for one in self.columns.names if one not in self.taken]
            known = role_of(role or key, left)
            if known is None:
                return None
            found = known
        self.taken.append(found)
        return found

    def find_numbers(self, key: str) -> str | None:
        """Return such a column of numbers; one that is only told by its name may hold others."""
        name = self.find(key)
        if name is None or key in self.asked or self.columns.kinds([name])[0] == "number":
            return name
        return None

    def _named(self, name: str, what: str) -> str:
        if name in self.columns.names:
            return name
        alike = [one for one in self.columns.names if plain_name(one) == plain_name(name)]
        return alike[0] if len(alike) == 1 else self.columns.pick(name, (), what)

    def refuse(self, rows: NDArray[np.bool_], why: Any) -> None:
        """Raise DataError for the first of some rows, if there is any; ``why`` says what of it."""
        if rows.any():
            row = int(np.argmax(rows))
            raise DataError(f"{self.columns.path} {self.columns.where(row)}: {why(row)}")

    def models(self) -> tuple[Codes, Codes, tuple[str, ...], bool]:
        """Return the two models of each vote, their names, and whether the first stood left."""
        told = pair_of(self.columns.names)
        sided = False
        if "model_a" in self.asked or "model_b" in self.asked or told is None:
            names = [
                self._named(self.asked[key], key)
                if key in self.asked
                else self.columns.pick(None, (key,), "models; columns={model_a: COLUMN} names it")
                for key in ("model_a", "model_b")
            ]
        else:
            *names, sided = told
        self.taken += names
        read = [self.columns.codes(one) for one in names]
        labels = tuple(dict.fromkeys(label for own, _ in read for label in own))
        place = {label: number for number, label in enumerate(labels)}
        first, second = (np.array([place[one] for one in own])[codes] for own, codes in read)
        self.refuse(
            first == second, lambda row: f"both models are {labels[first[row]]!r}; leave it out"
        )
        return first, second, labels, sided

    def prompts_of(self) -> tuple[PromptSet, Codes]:
        """Return the prompts voted on and each vote's place in them."""
        by_id = self.find("prompt")
        by_text = self.find("text")
        if by_id is None and by_text is None:
            by_id = self.find("prompt", "weak")
        if by_id is None and by_text is None:
            raise DataError(
                f"{self.columns.path} has no column of prompts; name it with "
                "columns={prompt: COLUMN}, ids, or columns={text: COLUMN}"
            )
        texts: tuple[str, ...] | None = None
        if by_text is not None:
            texts, text_codes = self.columns.codes(by_text)
            if by_id is None and "text" not in self.asked and _are_ids(by_text, texts):
                by_id, texts = by_text, None
        if by_id is not None:
            ids, codes = self.columns.codes(by_id)
            if texts is not None:
                texts = self._one_text_each(ids, codes, texts, text_codes)
        else:
            assert texts is not None  # noqa: S101 - one of both is there
            ids, texts, codes = self._ids_of(texts, text_codes)
        found = PromptSet(self.name, ids, texts)
        return (found, codes) if self.prompts is None else self._known(found, codes)

    def _one_text_each(
        self, ids: Sequence[str], codes: Codes, texts: Sequence[str], text_codes: Codes
    ) -> tuple[str, ...]:
        """Return the one text of each id; DataError where an id has two."""
        _, rows = np.unique(codes, return_index=True)
        own = text_codes[rows]
        other = text_codes != own[codes]
        if other.any():
            hashes = np.unique([text_hash(one) for one in texts], return_inverse=True)[1]
            self.refuse(
                hashes[text_codes] != hashes[own][codes],
                lambda row: f"prompt {_shown(ids, codes[row])} has another text than before",
            )
        return tuple(texts[one] for one in own.tolist())

    def _ids_of(
        self, texts: Sequence[str], codes: Codes
    ) -> tuple[tuple[str, ...], tuple[str, ...], Codes]:
        """Return ids for prompts that have texts only: known ones, or the start of their hash."""
        hashes = [text_hash(one) for one in texts]
        known: dict[str, str] = {}
        if self.prompts is not None and self.prompts.text_hashes is not None:
            pairs = zip(self.prompts.text_hashes, self.prompts.ids, strict=True)
            known = dict(reversed(list(pairs)))
        every = [known.get(one, one[:16]) for one in hashes]
        ids = tuple(dict.fromkeys(every))
        place = {one: number for number, one in enumerate(ids)}
        places = np.array([place[one] for one in every])
        first: dict[str, str] = {}
        for one, text in zip(every, texts, strict=True):
            first.setdefault(one, text)
        return ids, tuple(first[one] for one in ids), places[codes]

    def _known(self, found: PromptSet, codes: Codes) -> tuple[PromptSet, Codes]:
        """Return the known prompts that were voted on, in their own order."""
        assert self.prompts is not None  # noqa: S101 - asked for with prompts only
        try:
            places = self.prompts.index_of(found.ids)
        except DataError as error:
            raise DataError(f"{self.columns.path}: {error}") from error
        ours, theirs = found.text_hashes, self.prompts.text_hashes
        if ours is not None and theirs is not None:
            wrong = np.array([ours[one] != theirs[at] for one, at in enumerate(places)])
            self.refuse(
                wrong[codes],
                lambda row: f"prompt {found.ids[codes[row]]!r} has another text than prompts=",
            )
        order = np.argsort(places, kind="stable")
        return self.prompts.take(places[order]), np.argsort(order)[codes]

    def sides(
        self, first: Codes, second: Codes, variants: tuple[str, ...], sided: bool
    ) -> NDArray[np.int8] | None:
        """Return which model stood left: 1 the first, -1 the second, 0 where nobody says."""
        if sided:
            return np.ones(len(first), dtype=np.int8)
        name = self.find("left")
        if name is None:
            return None
        labels, codes = self._labels(name)
        says = self._who(name, labels, codes, first, second, variants)
        bad = ~np.isin(says, (Winner.FIRST, Winner.SECOND, Winner.NOBODY))
        self.refuse(
            bad, lambda row: f"{name} is {_shown(labels, codes[row])}; expected a, b or a model"
        )
        return np.where(np.abs(says) == 1, says, 0).astype(np.int8)

    def winners(
        self,
        first: Codes,
        second: Codes,
        variants: tuple[str, ...],
        left: NDArray[np.int8] | None,
    ) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        """Return who won: 1 the first, -1 the second, 0 nobody; and where both were bad."""
        hot = [] if "winner" in self.asked else one_hot_of(self.columns.names)
        halves = [] if hot or "winner" in self.asked else halves_of(self.columns.names)
        name = None if hot or halves else self.find("winner")
        if hot:
            says, shown = self._one_hot(hot)
        elif halves:
            says, shown = self._halves(halves)
        elif name is None:
            raise DataError(
                f"{self.columns.path} has no column of winners; name it with "
                "columns={winner: COLUMN}"
            )
        else:
            labels, codes = self._labels(name)

            def shown(row: int) -> str:
                return f"{name} is {_shown(labels, codes[row])}"

            numbers = self._numbers(labels, codes)
            if numbers is None:
                says = self._who(name, labels, codes, first, second, variants)
            else:
                says = numbers
        self.refuse(
            says == Winner.NOBODY,
            lambda row: (
                f"{shown(row)}; expected a, b, tie, both_bad, left, right, or one of "
                f"{variants[first[row]]!r} and {variants[second[row]]!r}"
            ),
        )
        by_side = (says == Winner.LEFT) | (says == Winner.RIGHT)
        if by_side.any():
            where = np.zeros(len(first), dtype=np.int8) if left is None else left
            self.refuse(
                by_side & (where == 0),
                lambda row: (
                    f"{shown(row)}, but nothing says which model stood left; name the "
                    "column with columns={left: COLUMN}"
                ),
            )
            says = np.where(by_side, np.where(says == Winner.LEFT, where, -where), says)
        both_bad = says == Winner.BOTH_BAD
        return np.where(both_bad, 0, says).astype(np.int8), both_bad

    def _who(
        self,
        name: str,
        labels: Sequence[str],
        codes: Codes,
        first: Codes,
        second: Codes,
        variants: tuple[str, ...],
    ) -> Codes:
        """Return what each row's word says, a model's name turned into its place."""
        by_word = np.array([*map(winner_of, labels), Winner.NOBODY])[codes]
        place = {label: number for number, label in enumerate(variants)}
        named = np.array([*(place.get(label, -1) for label in labels), -1])[codes]
        by_name = np.where(named == first, 1, np.where(named == second, -1, int(Winner.NOBODY)))
        if OWN_FORM in self.columns.metadata:
            return by_word
        both = (named >= 0) & (by_word != Winner.NOBODY)
        self.refuse(
            both & (by_word != by_name),
            lambda row: (
                f"{name} is {_shown(labels, codes[row])}, which may be a place or the model of "
                "that name; write one of the two another way"
            ),
        )
        return np.where(named >= 0, by_name, by_word)

    def _numbers(self, labels: Sequence[str], codes: Codes) -> Codes | None:
        """Return what numbers say: 1, 2 and 0, or 1, -1 and 0; None where they are none."""
        kinds = {label.removesuffix(".0") for label in labels}
        if not kinds <= {"0", "1", "2", "-1", "0.5"} or not kinds:
            return None
        if "-1" in kinds and "2" not in kinds and "0.5" not in kinds:
            says = {"1": Winner.FIRST, "-1": Winner.SECOND, "0": Winner.TIE}
        elif "2" in kinds and "-1" not in kinds and "0.5" not in kinds:
            says = {"1": Winner.FIRST, "2": Winner.SECOND, "0": Winner.TIE}
        else:
            raise DataError(
                f"{self.columns.path}: the numbers {', '.join(sorted(kinds))} do not say who won; "
                "write a, b or tie, or 1, 2 and 0"
            )
        return np.array([*(says[one.removesuffix(".0")] for one in labels), Winner.NOBODY])[codes]

    def _one_hot(self, hot: Sequence[tuple[str, Winner]]) -> tuple[Codes, Any]:
        names = [name for name, _ in hot]
        self.taken += names
        values = self.columns.floats(names)
        wrong = ~np.isin(values, (0, 1)).all(axis=0) | (values.sum(axis=0) != 1)
        self.refuse(wrong, lambda row: f"of {', '.join(names)} not one alone is 1")
        return np.array([winner for _, winner in hot])[values.argmax(axis=0)], str

    def _halves(self, halves: list[str]) -> tuple[Codes, Any]:
        self.taken += halves
        first, second = self.columns.floats(halves)
        says = np.select(
            [(first == 1) & (second == 0), (first == 0) & (second == 1), (first == second)],
            [Winner.FIRST, Winner.SECOND, Winner.TIE],
            Winner.NOBODY,
        )
        wrong = (says == Winner.NOBODY) | (says == Winner.TIE) & (first != 0.5)
        self.refuse(wrong, lambda row: f"{' and '.join(halves)} are not 1 and 0, nor halves")
        return says, str

    def raters(self) -> tuple[tuple[str, ...], Codes | None]:
        """Return the raters and each vote's, -1 where it has none."""
        name = self.find("rater")
        return ((), None) if name is None else self._labels(name)

    def _labels(self, name: str) -> tuple[tuple[str, ...], Codes]:
        """Return a column's labels and each row's place in them, -1 for an empty cell."""
        import pyarrow as pa

        (array,) = self.columns.fetch([name])
        kind = array.type
        plain = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
        if not is_text(kind) and not any(test(kind) for test in plain):
            raise DataError(f"{self.columns.path}: column {name!r} is {kind}; expected texts")
        coded = array.cast(pa.string()).dictionary_encode()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.unify_dictionaries().combine_chunks()
        written = [(one or "").strip() for one in coded.dictionary.to_pylist()]
        labels = tuple(dict.fromkeys(one for one in written if one))
        place = {one: number for number, one in enumerate(labels)}
        places = np.array([*(place.get(one, -1) for one in written), -1])
        return labels, places[coded.indices.fill_null(-1).to_numpy().astype(np.int64)]

    def seconds(self) -> NDArray[np.float32] | None:
        """Return how long each vote took, NaN where nobody says."""
        name = self.find_numbers("seconds")
        if name is None:
            return None
        values = self.columns.floats([name])[0]
        self.refuse(values < 0, lambda row: f"{name} is {values[row]:g}; expected seconds from 0")
        found: NDArray[np.float32] = values.astype(np.float32)
        return found

    def images(self) -> NDArray[np.int32] | None:
        """Return the numbers of the two images, -1 where nobody says."""
        one = self.find_numbers("image")
        names = [one, one] if one else [self.find_numbers(f"image_{side}") for side in "ab"]
        if None in names:
            return None
        columns = []
        for name in map(str, names):
            values = self.columns.floats([name])[0]
            self.refuse(
                (values < 0) | (values != np.floor(values)) & ~np.isnan(values),
                lambda row, name=name, values=values: (
                    f"{name} is {values[row]:g}; expected an image's number from 0"
                ),
            )
            columns.append(np.where(np.isnan(values), -1, values))
        return np.stack(columns, axis=1).astype(np.int32)


def _shown(labels: Sequence[str], code: Any) -> str:
    return repr(labels[int(code)]) if code >= 0 else "empty"


def _are_ids(name: str, labels: Sequence[str]) -> bool:
    """Tell whether a column called `prompt` holds ids: no label of it has a blank."""
    return plain_name(name) in _EITHER and not any(" " in label for label in labels)
