"""What a subset searched on some families of models is worth on another: `scores=miniature-mixed`.

Subsets searched on the 64 diffusion variants are judged on GANs and on masked-token models that no
search saw, each family is held out in turn, and random halves stand beside. Also what the families
reach: score, seconds, frontier, and how unlike the pictures of one prompt are. A page of Markdown.

    python scripts/evidence/measure_families.py --page docs/evidence/families.md \
        --plot docs/images/frontier.png
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import flasheval
from flasheval.base.drawing.figures import save_png
from flasheval.base.drawing.markdown import markdown_table
from flasheval.generators.generator import Batch
from flasheval.generators.images import to_images
from flasheval.generators.populations.recipe import Recipe
from flasheval.generators.populations.sources import read_population
from flasheval.generators.seeds import image_seed
from flasheval.scores import ScoreTable
from flasheval.scores.leaderboard.frontier import frontier_figure
from flasheval.selection.held_out.report import ValidationReport
from flasheval.selection.held_out.splits import Split, make_splits

_METHODS = ("random", "frequency", "balanced", "pooled", "auto")
_DIFFUSION = "diffusion-unet"
_MASKED = "masked-token"
_GAN = "gan"
_NAMES = {_DIFFUSION: "diffusion", _MASKED: "masked tokens", _GAN: "GAN"}
_SPREAD_PROMPTS, _SPREAD_IMAGES = 40, 8
_SEED = 2026

_HEAD = """\
# Unlike families: diffusion, masked tokens, GANs

`python scripts/evidence/measure_families.py --page docs/evidence/families.md --plot
docs/images/frontier.png`, on `scores=miniature-mixed`: {about}. The two further families were
made by `scripts/miniature/train_families.py` and scored by `make_mixed_scores.py`. No method and no
setting was chosen on them.

## What the families reach

The best variant of each model by Composition. *Spread*: mean squared distance of the CLIP features
of {images} images of one prompt from their mean, over {prompts} prompts, as a share of that of
pictures drawn at random for the same prompts: 0 is a model that makes one picture of a prompt.
"""
_ACROSS = """\
## What a subset is worth on another family

Held-out Kendall tau-b with the ranking by all prompts, mean over {metrics} metrics and, for random
halves, {halves} splits; in brackets the gain over random prompts, with its 90% interval over splits
where there are several. A held-out family has few variants: 12 masked-token ones make 66 pairs,
8 GANs make 28, so that one pair in another order is .03 and .07 in tau.
"""


def main() -> None:
    """Measure, write the page and draw the plot."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", type=Path, help="Markdown file; printed where not given")
    parser.add_argument("--plot", type=Path, help="PNG file; none where not given")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 50])
    parser.add_argument("--halves", type=int, default=10, help="random halves of all variants")
    options = parser.parse_args()
    table = flasheval.load_scores("miniature-mixed")
    about = f"{len(table)} variants, {table.n_prompts:,} prompts, {len(table.metrics)} metrics"
    parts = [
        _HEAD.format(about=about, images=_SPREAD_IMAGES, prompts=_SPREAD_PROMPTS),
        *reached(table),
        "",
    ]
    if options.plot:
        standings = flasheval.rank(table, metric="Composition").standings
        figure = frontier_figure(standings)
        if figure is None:
            raise SystemExit("the table knows no seconds")
        save_png(figure, options.plot)
        image = os.path.relpath(options.plot, options.page.parent if options.page else Path())
        parts += [f"![Composition against seconds an image]({image})", ""]
    parts += [_ACROSS.format(metrics=len(table.metrics), halves=options.halves)]
    parts += [*across(table, options.sizes, options.halves), ""]
    page = "\n".join(parts)
    if options.page is None:
        print(page)
    else:
        options.page.write_text(page, encoding="utf-8")


def reached(table: ScoreTable) -> list[str]:
    """Return a row for the best variant of each model."""
    means = {metric: table[metric].full_means for metric in table.metrics}
    rows = []
    models = table.factor("base_model")
    real, recipes = drawn_spread(), _recipes()
    for model in dict.fromkeys(models):
        own = [row for row, one in enumerate(models) if one == model]
        best = max(own, key=lambda row: means["Composition"][row])
        variant = table.variants[best]
        rows.append(
            [
                str(model),
                _NAMES[str(variant.factors["family"])],
                variant.name,
                *(f"{means[metric][best]:.3f}" for metric in table.metrics),
                f"{1000 * variant.seconds:.1f}",
                str(variant.evaluations),
                f"{made_spread(recipes[variant.name]) / real:.2f}",
            ]
        )
    titles = ["model", "family", "variant", *table.metrics, "ms an image", "evaluations", "spread"]
    return markdown_table(titles, rows)


def drawn_spread() -> float:
    """Return the spread of pictures drawn at random for the same prompts."""
    from flasheval.miniature.drawing import draw
    from flasheval.miniature.layout import lay_out
    from flasheval.miniature.world import parse_caption

    rng = np.random.default_rng(_SEED)
    texts = _spread_texts()
    return _spread([draw(lay_out(parse_caption(text), rng)) for text in texts])


def made_spread(recipe: Recipe) -> float:
    """Return the spread of a variant's images."""
    texts = _spread_texts()
    ids = tuple(map(str, range(len(texts))))
    generator = recipe.generator.load("cpu")
    images: list[object] = []
    for start in range(0, len(texts), _SPREAD_IMAGES):
        part = slice(start, start + _SPREAD_IMAGES)
        seeds = tuple(image_seed(_SEED, one) for one in ids[part])
        made = generator.generate(Batch(ids[part], texts[part], seeds))
        images += to_images(made, _SPREAD_IMAGES)
    return _spread(images)


def _recipes() -> dict[str, Recipe]:
    names = "miniature", "miniature-families"
    return {one.name: one for name in names for one in read_population(name).recipes}


def _spread_texts() -> tuple[str, ...]:
    prompts = flasheval.load_prompts("miniature")
    return tuple(text for text in prompts.texts[:_SPREAD_PROMPTS] for _ in range(_SPREAD_IMAGES))


def _spread(images: Sequence[object]) -> float:
    """Return the mean squared distance of features from the mean of their prompt's."""
    from flasheval.set_metrics.extractor_settings import make_extractor

    clip = {"name": "clip", "checkpoint": "miniature:clip"}
    features = make_extractor("scorer", {"scorer": clip}).load("cpu")
    found = np.asarray(features.embed(list(images)), dtype=np.float64)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    by_prompt = found.reshape(_SPREAD_PROMPTS, _SPREAD_IMAGES, -1)
    apart = by_prompt - by_prompt.mean(axis=1, keepdims=True)
    return float((apart**2).sum(axis=2).mean() * _SPREAD_IMAGES / (_SPREAD_IMAGES - 1))


def across(table: ScoreTable, sizes: Sequence[int], halves: int) -> list[str]:
    """Return a row for each way of parting the families, size and method."""
    rows = []
    for name, splits in partings(table, halves):
        report = flasheval.validate(table, size=list(sizes), methods=_METHODS, splits=splits)
        rows += [[name, *row] for row in results(report, sizes)]
    return markdown_table(["searched on, judged on", "N", *_METHODS], rows)


def partings(table: ScoreTable, halves: int) -> list[tuple[str, list[Split]]]:
    """Return what is searched and what is judged, by name."""
    family = np.array([str(one) for one in table.factor("family")])
    rows = {name: np.flatnonzero(family == name) for name in _NAMES}
    both = np.flatnonzero(family != _DIFFUSION)

    def split(search: str, held_out: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[Split]:
        return [Split(search, np.flatnonzero(family == _DIFFUSION), held_out)]

    found = [
        ("diffusion, GANs", split("gans", rows[_GAN])),
        ("diffusion, masked tokens", split("masked", rows[_MASKED])),
        ("diffusion, both others", split("both", both)),
    ]
    for name, own in rows.items():
        others = np.flatnonzero(family != name)
        found.append((f"all but {_NAMES[name]}, {_NAMES[name]}", [Split(name, others, own)]))
    found.append(("a random half, the other", list(make_splits(f"random:{halves}", table))))
    return found


def results(report: ValidationReport, sizes: Sequence[int]) -> list[list[str]]:
    """Return a row for each size: tau of each method, with its gain over random."""
    rows = []
    for size in sizes:
        row = [str(size)]
        for method in _METHODS:
            one = report.summary(method=method, size=size)
            cell = "" if one.held_out_tau is None else f"{one.held_out_tau.mean:.3f}"
            gain = one.over_random
            if gain is not None and gain.low is not None:
                cell += f" ({gain.mean:+.3f}, {gain.low:+.3f} to {gain.high:+.3f})"
            elif gain is not None:
                cell += f" ({gain.mean:+.3f})"
            row.append(cell)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
