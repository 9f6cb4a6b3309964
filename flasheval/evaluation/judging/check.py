"""Checking a judge on images that a run keeps."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.arguments import checked_arguments
from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation.judging.judge_check import Accord, JudgeCheck
from flasheval.generators.images import ImageFault
from flasheval.runs.devices import choose_device
from flasheval.runs.kept.of_run import KeptImages, Key
from flasheval.runs.status.run_status import read_status
from flasheval.scorers.judges.settings import JudgeSettings
from flasheval.scorers.judges.vqa import VqaSettings
from flasheval.scorers.registry import make_scorer
from flasheval.scorers.scorer import Grader, Scorer, grades_of
from flasheval.scores import ScoreMatrix, ScoreTable, load_scores
from flasheval.scores.ranking import kendall_tau_b

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["accord_of", "check_judge", "reliability_of"]

Values = NDArray[np.float64]

OPPOSITE = 'Is "{prompt}" missing from this image? Answer yes or no.'
_FLIPS, _LEANS, _DULL, _LEAST = 0.05, 0.2, 0.75, 3


@dataclass(frozen=True)
class _Sample:
    keys: tuple[Key, ...]
    images: list[Image]
    texts: list[str]


@checked_arguments
def check_judge(
    run: str | Path,
    scorer: Any,
    *,
    images: int = 50,
    repeats: int = 3,
    against: Any = None,
    seed: int = 0,
    device: str = "auto",
) -> JudgeCheck:
    """Ask a judge again about images that a run keeps, and return how far to trust it.

    Args:
        run: The run folder, made with ``keep_images=true``.
        scorer: The judge, as for `flasheval.run`.
        images: Images drawn at random from all variants and prompts.
        repeats: How often each is asked about. An endpoint is asked anew each time; a local model
            in another order and batch.
        against: Further metrics of the run by name, or scores of the same variants and prompts (a
            table, a file or a folder), such as ratings of people or wins of votes.
        seed: Decides the draw.
        device: Where a local model computes.

    Returns:
        The judge's spread, leanings, agreement and drift.

    Raises:
        SettingError: The scorer is no judge, or a number is too small.
        DataError: No run, no images kept in it, or the judge fails.

    """
    settings = make_scorer(scorer)
    if not isinstance(settings, JudgeSettings):
        raise SettingError(
            f"scorer {settings.metric} asks no model; check a judge: vqa, questions, read-text or "
            "rubric"
        )
    for name, value, least in (("images", images, _LEAST), ("repeats", repeats, 1)):
        if value < least:
            raise SettingError(f"{name}={value}; expected {least} or more")
    sample = _drawn(KeptImages(run), images, seed, run)
    where = choose_device(device)
    used: dict[str, int] = {}
    models: list[str] = []

    def ask(own: JudgeSettings, texts: Sequence[str], turn: int = 0) -> Values:
        with _anew(own) as fresh:
            loaded = replace(fresh, batch=max(1, fresh.batch - turn)).load(where)
            found = _scores(loaded, sample.images, texts, backwards=bool(turn % 2))
            if isinstance(loaded, Grader):
                _add(loaded.record(), used, models)
        return found

    asked = np.stack([ask(settings, sample.texts, turn) for turn in range(repeats)])
    others = ask(settings, [*sample.texts[1:], sample.texts[0]])
    differ = np.array(
        [a != b for a, b in zip(sample.texts, [*sample.texts[1:], sample.texts[0]], strict=True)]
    )
    others[~differ] = np.nan
    first = asked[0]
    yes_bias = order = math.nan
    if isinstance(settings, VqaSettings):
        opposite = ask(replace(settings, template=OPPOSITE), sample.texts)
        yes_bias = _mean(first + opposite - 1)
        turned = settings.template.replace("yes or no", "no or yes")
        if turned != settings.template:
            order = _mean(ask(replace(settings, template=turned), sample.texts) - first)
    table = _table_of(run, settings.metric)
    then = np.full(len(first), np.nan)
    if table is not None:
        then = _cells(table, sample.keys)
    counts = (~np.isnan(asked)).sum(axis=0)
    now = np.where(counts > 0, np.nansum(asked, axis=0) / np.maximum(counts, 1), np.nan)
    known = (now - then)[~np.isnan(now - then)]
    middle = _middle(settings)
    found = JudgeCheck(
        settings.metric,
        settings.version,
        len(sample.keys),
        repeats,
        int(np.isnan(asked).sum()),
        _mean(first),
        _spread(asked),
        reliability_of(asked),
        math.nan if middle is None or repeats == 1 else _flips(asked, middle),
        _mean(others),
        _separation(first, others),
        yes_bias,
        order,
        float(known.mean()) if len(known) else math.nan,
        float(known.std(ddof=1) / math.sqrt(len(known))) if len(known) > 1 else math.nan,
        tuple(accord_of(table, one) for one in _against(run, against)) if table is not None else (),
        used,
        tuple(models),
        _models_before(Path(run)),
    )
    return replace(found, warnings=tuple(_warnings(found)))


def reliability_of(asked: Values) -> float:
    """Return the share of a single score's variance that another call repeats, [repeats, images].

    The intraclass correlation ICC(1) (Shrout and Fleiss 1979), not below 0; NaN with one repeat.

    >>> reliability_of(np.array([[0.1, 0.9], [0.1, 0.9]]))
    1.0
    """
    kept = asked[:, ~np.isnan(asked).any(axis=0)]
    repeats, count = kept.shape
    if repeats < 2 or count < 2:
        return math.nan
    within = float(kept.var(axis=0, ddof=1).mean())
    between = float(repeats * kept.mean(axis=0).var(ddof=1))
    whole = between + (repeats - 1) * within
    return max(0.0, (between - within) / whole) if whole > 0 else math.nan


def accord_of(table: ScoreMatrix, other: ScoreMatrix) -> Accord:
    """Return how a judge agrees with other scores, over the variants and prompts that both have.

    Lower counts as better where a matrix says so.
    """
    variants = [one for one in table.variants if one in set(other.variants)]
    prompts = [one for one in table.prompt_ids if one in set(other.prompt_ids)]
    pairs = [_part(one, variants, prompts) for one in (table, other)]
    both = ~np.isnan(pairs[0]) & ~np.isnan(pairs[1])
    count = int(both.sum())
    a, b = (np.where(both, one, np.nan) for one in pairs)
    whole = [row for row in range(len(variants)) if both[row].any()]
    tau = math.nan
    if len(whole) >= _LEAST:
        means = [np.nanmean(one[whole], axis=1) for one in (a, b)]
        tau = float(kendall_tau_b(*means))
    x, y = a[both], b[both]
    varied = count > 2 and x.std() > 0 and y.std() > 0
    return Accord(other.metric, tau, float(np.corrcoef(x, y)[0, 1]) if varied else math.nan, count)


def _part(matrix: ScoreMatrix, variants: Sequence[str], prompts: Sequence[str]) -> Values:
    rows = [matrix.variants.index(one) for one in variants]
    place = {one: column for column, one in enumerate(matrix.prompt_ids)}
    found = matrix.values[np.ix_(rows, [place[one] for one in prompts])].astype(np.float64)
    return found if matrix.higher_is_better else -found


def _drawn(kept: KeptImages, count: int, seed: int, run: str | Path) -> _Sample:
    """Return images drawn at random, first ones of their prompts."""
    rng = np.random.default_rng(seed)
    prompts = list(kept.texts)
    whole = len(kept.variants) * len(prompts)
    keys: list[Key] = []
    for place in rng.permutation(whole) if whole <= 10**6 else rng.integers(whole, size=20 * count):
        key = (kept.variants[place // len(prompts)], prompts[place % len(prompts)], 0)
        if kept.has(key) and key not in keys:
            keys.append(key)
        if len(keys) == count:
            break
    found: dict[Key, Any] = {}
    for some in kept.read(keys):
        found |= {key: one for key, one in some.items() if not isinstance(one, ImageFault)}
    keys = [key for key in keys if key in found]
    if len(keys) < _LEAST:
        raise DataError(
            f"{run} keeps {len(keys)} images that can be asked about; expected a run made with "
            "keep_images=true"
        )
    return _Sample(tuple(keys), [found[key] for key in keys], [kept.texts[key[1]] for key in keys])


@contextmanager
def _anew(settings: JudgeSettings) -> Iterator[JudgeSettings]:
    """Give a judge that takes no answer from before: its answers are kept in a folder that goes."""
    if settings.endpoint is None:
        yield settings
        return
    with tempfile.TemporaryDirectory(
        prefix="flasheval-judge-", ignore_cleanup_errors=True
    ) as folder:
        yield replace(settings, endpoint=replace(settings.endpoint, cache=folder))


def _scores(
    scorer: Scorer, images: Sequence[Image], texts: Sequence[str], *, backwards: bool
) -> Values:
    step = -1 if backwards else 1
    grades = grades_of(scorer, list(images)[::step], list(texts)[::step])
    return np.array([grade.score for grade in grades], dtype=np.float64)[::step]


def _add(record: Mapping[str, Any], used: dict[str, int], models: list[str]) -> None:
    for name, value in record.items():
        if isinstance(value, int):
            used[name] = used.get(name, 0) + value
    models += [one for one in record.get("models", ()) if one not in models]


def _table_of(run: str | Path, metric: str) -> ScoreMatrix | None:
    try:
        table = load_scores(run)
    except DataError:  # a run that has made images only
        return None
    return table[metric] if metric in table.metrics else None


def _cells(matrix: ScoreMatrix, keys: Sequence[Key]) -> Values:
    """Return the scores in a table of some images, first ones of their prompts."""
    values = matrix.values if matrix.images is None else matrix.images[:, :, 0]
    rows = {one: row for row, one in enumerate(matrix.variants)}
    columns = {one: column for column, one in enumerate(matrix.prompt_ids)}
    return np.array(
        [
            values[rows[variant], columns[prompt]]
            if variant in rows and prompt in columns
            else math.nan
            for variant, prompt, _ in keys
        ],
        dtype=np.float64,
    )


def _against(run: str | Path, against: Any) -> list[ScoreMatrix]:
    """Return the scores to compare with: metrics of the run by name, or another table's."""
    if against is None:
        return []
    named = [against] if isinstance(against, str) else against
    if isinstance(named, Sequence) and all(isinstance(one, str) for one in named):
        own = load_scores(run)
        if all(one in own.metrics for one in named):
            return [own[one] for one in named]
    other = against if isinstance(against, ScoreTable) else load_scores(against)
    return [other[metric] for metric in other.metrics]


def _models_before(run: Path) -> tuple[str, ...]:
    judged = read_status(run).judged
    return () if judged is None else judged.models


def _middle(settings: JudgeSettings) -> float | None:
    low, high = getattr(settings, "low", 0.0), getattr(settings, "high", 1.0)
    return float(low + high) / 2


def _mean(values: Values) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _spread(asked: Values) -> float:
    kept = asked[:, ~np.isnan(asked).any(axis=0)]
    if kept.shape[0] < 2 or not kept.shape[1]:
        return math.nan
    return math.sqrt(float(kept.var(axis=0, ddof=1).mean()))


def _flips(asked: Values, middle: float) -> float:
    above = asked[:, ~np.isnan(asked).any(axis=0)] > middle
    both = np.logical_and(above.any(axis=0), ~above.all(axis=0))
    return _mean(np.asarray(both, dtype=np.float64))


def _separation(own: Values, others: Values) -> float:
    both = ~np.isnan(own) & ~np.isnan(others)
    wins = np.sign(own[both] - others[both])
    return _mean((wins + 1) / 2)


def _warnings(found: JudgeCheck) -> Iterator[str]:
    if found.unanswered:
        share = found.unanswered / (found.images * found.repeats)
        yield f"{share:.0%} of the answers give no score; flasheval status tells why"
    if found.flips > _FLIPS:
        yield (
            f"{found.flips:.0%} of the images change sides when asked about again: average several "
            "images a prompt"
        )
    if abs(found.yes_bias) > _LEANS:
        word = "yes" if found.yes_bias > 0 else "no"
        yield f"the judge leans towards {word}: compare its scores, do not read them as shares"
    if found.separation < _DULL:
        yield (
            f"another image's prompt scores higher in {1 - found.separation:.0%} of the cases: "
            "the judge hardly tells prompts apart on these images"
        )
    if abs(found.drift) > 3 * found.drift_error and abs(found.drift) > 0.001:
        way = "higher" if found.drift > 0 else "lower"
        yield (
            f"scores are {abs(found.drift):.3f} {way} now than in the table: do not add new ones "
            "to it"
        )
    if found.before and found.models and not {*found.models} <= {*found.before}:
        yield (
            f"the endpoint answers as {', '.join(found.models)}, and the table was made with "
            f"{', '.join(found.before)}"
        )
