"""The page itself: one HTML file with its images, its pairs and the script that shows them."""

from __future__ import annotations

import base64
import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from flasheval.base.arguments import checked_arguments
from flasheval.base.canonical import sha256_of
from flasheval.base.checks import checked_names, checked_seed
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import atomic_write
from flasheval.base.suggest import nearest
from flasheval.base.text import visible
from flasheval.prompts import load_prompts
from flasheval.report.votes_page.gathering import Gathered, Gathering, TooLarge
from flasheval.report.votes_page.shrinking import MEDIA_TYPE, SIZES
from flasheval.runs.kept.of_run import KeptImages, Key
from flasheval.subset import Subset
from flasheval.subset.library.finding import load_subset

__all__ = ["MOST_BYTES", "VotesPage", "make_votes_page", "page_data", "write_votes_page"]

MOST_BYTES = 40_000_000
"""How large a page may be unless said otherwise: what a telephone still opens."""

_MOST_PAIRS = 50_000  # their votes take some 5 MB, which is what browsers keep


@dataclass(frozen=True)
class VotesPage:
    """A page of votes, not yet written.

    Attributes:
        html: The whole file.
        page: The page's id, which its votes name.
        shown: What is shown on it.
        longest: Pixels of the longer side of its images at most.
        warnings: What is not on it, a line each.

    """

    html: str
    page: str
    shown: Gathered
    longest: int
    warnings: tuple[str, ...]


@checked_arguments
def write_votes_page(
    run: str | Path,
    subset: Subset | str | Path | None,
    out: str | Path,
    *,
    variants: Sequence[str] | None = None,
    pairs: int | None = None,
    raters: int = 1,
    seed: int = 0,
    most_bytes: int = MOST_BYTES,
) -> Path:
    """Write a page on which people say which of two variants' images they prefer.

    One HTML file, which needs no network: two images of one prompt side by side, chosen by keys or
    by touch. Sides and order are drawn for each rater and kept with each vote; variants' names are
    not shown. Votes stay in the browser, closed or not, until they are downloaded as JSON. The
    same run and arguments give the same bytes.

    Args:
        run: A run folder that keeps its images (``keep_images=true``).
        subset: The prompts: a subset, or what `flasheval.load_subset` takes; None for all prompts
            of the run.
        out: The HTML file.
        variants: The variants to compare; all with images unless given.
        pairs: How many pairs to show; all pairs of variants on each prompt unless given. They are
            drawn so that variants, prompts and pairs of variants come equally often, within one.
        raters: Into how many parts the pairs are dealt, one a rater, who may take others too; with
            1 everyone sees all of them.
        seed: Seed of the pairs drawn, the order and the sides.
        most_bytes: The size of the file at most; images are made smaller until it fits.

    Returns:
        The path of the file. A UserWarning tells how many pairs are left out because an image is
        missing or faulty.

    Raises:
        SettingError: A variant without images, or a number that cannot be.
        DataError: No run, a subset of other prompts, no images, or more than fit.

    Example:
        >>> write_votes_page("run", None, "votes.html", pairs=0)
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: pairs=0: expected a whole number from 1 on

    """
    page = make_votes_page(
        run,
        subset,
        variants=variants,
        pairs=pairs,
        raters=raters,
        seed=seed,
        most_bytes=most_bytes,
    )
    for line in page.warnings:
        warnings.warn(line, UserWarning, stacklevel=3)
    path = Path(out)
    with atomic_write(path) as temporary:
        temporary.write_bytes(page.html.encode())
    return path


def make_votes_page(
    run: str | Path,
    subset: Subset | str | Path | None,
    *,
    variants: Sequence[str] | None = None,
    pairs: int | None = None,
    raters: int = 1,
    seed: int = 0,
    most_bytes: int = MOST_BYTES,
) -> VotesPage:
    """Return the page that `write_votes_page` writes, with its arguments and errors.

    >>> make_votes_page("run", None, raters=0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: raters=0: expected a whole number from 1 on
    """
    for key, count in (("pairs", pairs), ("raters", raters), ("most_bytes", most_bytes)):
        if count is not None and count < 1:
            raise SettingError(f"{key}={count}: expected a whole number from 1 on")
    seed = checked_seed(seed)
    kept = KeptImages(run)
    names, ids = _variants(kept, variants, run), _prompt_ids(kept, subset, run)
    _check_count(len(names) * (len(names) - 1) // 2 * len(ids) if pairs is None else pairs)
    gathering = Gathering(kept, names, ids, pairs, seed)
    faults: set[Key] = set()
    for size in SIZES:
        try:
            # Three bytes become four letters; what else is on a page is weighed at the end.
            shown = gathering.at(size, most_bytes * 3 // 4, faults)
        except TooLarge as error:
            refused = _refusal(error.pairs, error.needed * 4 // 3, most_bytes)
            continue
        if raters > len(shown.pairs):
            raise SettingError(
                f"raters={raters}: there are {len(shown.pairs)} pairs, and each rater needs one"
            )
        data = page_data(shown, raters, seed)
        html = _page_html(data, shown)
        needed = len(html.encode())
        if needed <= most_bytes:
            told = tuple(_told(shown, pairs))
            return VotesPage(html, data["page"], shown, size.longest, told)
        refused = _refusal(len(shown.pairs), needed, most_bytes)
    raise refused


def _variants(kept: KeptImages, variants: Sequence[str] | None, run: str | Path) -> tuple[str, ...]:
    """Return the variants to compare, in the run's order."""
    if not kept.variants:
        raise DataError(f"{run} keeps no images; give its command again with keep_images=true")
    asked = checked_names("variants", variants) or kept.variants
    for name in asked:
        if name not in kept.variants:
            raise SettingError(
                f"variants: {run} keeps no images of {name!r}{nearest(name, kept.variants)}"
            )
    if len(asked) < 2:
        raise SettingError(
            f"variants: {asked[0]!r} alone has nothing to be compared with; "
            "a vote is between two variants"
        )
    return tuple(name for name in kept.variants if name in asked)


def _prompt_ids(
    kept: KeptImages, subset: Subset | str | Path | None, run: str | Path
) -> tuple[str, ...]:
    if subset is None:
        return tuple(kept.texts)
    if not isinstance(subset, Subset):
        subset = load_subset(subset)
    subset.verify(load_prompts(Path(run) / "prompts.parquet"))
    return subset.ids


def _check_count(pairs: int) -> None:
    if pairs > _MOST_PAIRS:
        raise SettingError(
            f"{pairs:,} pairs are more than a browser can keep votes on ({_MOST_PAIRS:,}); choose "
            "how many to draw, such as pairs=500"
        )


def _refusal(pairs: int, needed: int, most_bytes: int) -> DataError:
    smallest = SIZES[-1].longest
    return DataError(
        f"a page of {pairs:,} pairs would have {needed / 1e6:,.1f} MB even with images of "
        f"{smallest} pixels, above most_bytes={most_bytes}; choose fewer pairs, variants or "
        "prompts, or allow more bytes"
    )


def _told(shown: Gathered, pairs: int | None) -> list[str]:
    told, count = [], len(shown.pairs)
    if shown.left_out:
        one = shown.left_out == 1
        told.append(
            f"{shown.left_out:,} pair{' is' if one else 's are'} left out: an image is missing or "
            "faulty"
        )
    if pairs is not None and count < pairs:
        told.append(f"pairs={pairs}: there are only {count:,}, and all of them are shown")
    return told


def page_data(shown: Gathered, raters: int, seed: int) -> dict[str, Any]:
    """Return what the page's script reads, as plain data.

    Each pair is a list: the numbers of variants a and b and of the prompt, the image's number, and
    the codes under which the page holds the two images. Codes are drawn; they tell no variant.
    Texts are as a screen shows them; ids and names are exact, because votes name them.

    Args:
        shown: What the page shows.
        raters: How many parts there are.
        seed: The seed of the codes, and of each rater's order and sides.

    """
    codes = _codes(shown, seed)
    data = {
        "seed": seed,
        "raters": raters,
        "variants": list(shown.variants),
        "prompts": [[one, visible(text)] for one, text in shown.prompts],
        "pairs": [
            [
                *(p.a, p.b, p.prompt, p.image),
                *(codes[variant, p.prompt, p.image] for variant in (p.a, p.b)),
            ]
            for p in shown.pairs
        ],
    }
    digests = [
        hashlib.sha256(shown.images[key]).hexdigest()
        for key in sorted(codes, key=codes.__getitem__)
    ]
    page = sha256_of([json.dumps(data), digests])[:16]
    return {"format": "flasheval-votes-page", "version": 1, "page": page, **data}


def _codes(shown: Gathered, seed: int) -> dict[tuple[int, int, int], int]:
    """Return a number for each image, drawn."""
    keys = sorted(shown.images)
    drawn = np.random.default_rng([seed, 2]).permutation(len(keys)).tolist()
    return dict(zip(keys, drawn, strict=True))


def _by_code(codes: dict[tuple[int, int, int], int]) -> list[tuple[int, int, int]]:
    return sorted(codes, key=codes.__getitem__)


def _page_html(data: dict[str, Any], shown: Gathered) -> str:
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _template("page.css"), _template("logic.js") + _template("page.js")
    codes = _codes(shown, data["seed"])
    images = [
        (codes[key], base64.b64encode(shown.images[key]).decode("ascii")) for key in _by_code(codes)
    ]
    return environment.get_template("page.html").render(
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - ours, as is the script
        script=Markup(script),  # noqa: S704
        data=Markup(_script_json(data)),  # noqa: S704 - no sign in it ends the element
        media_type=MEDIA_TYPE,
        images=images,
    )


def _policy(style: str, script: str) -> str:
    """Return the content security policy: this style, this script, images in the page, no more."""
    allowed = [
        "default-src 'none'",
        f"style-src {_hashed(style)}",
        f"script-src {_hashed(script)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(allowed)


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _script_json(data: dict[str, Any]) -> str:
    """Return JSON that may stand in a script element: ASCII, and without signs of HTML."""
    text = json.dumps(data, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


@cache
def _template(name: str) -> str:
    folder = resources.files(__package__) / "template"
    return (folder / name).read_text("utf-8")
