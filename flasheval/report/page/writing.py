"""The files of a report: one HTML page that needs no network, and its plots as PNG beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.base.drawing.svg import Drawing, inline_svg, png_bytes
from flasheval.base.files import atomic_write
from flasheval.base.text import visible
from flasheval.report.page.contents import Contents, contents_of
from flasheval.report.page.origin import Origin
from flasheval.report.page.score_sources import scores_of

if TYPE_CHECKING:
    from flasheval.scores import ScoreTable

__all__ = ["WrittenPage", "page_html", "write_report"]


@dataclass(frozen=True)
class WrittenPage:
    """What was written.

    Attributes:
        page: The HTML file.
        plots: The folder of its plots.
        contents: What they show.

    """

    page: Path
    plots: Path
    contents: Contents


def write_report(
    origin: Origin,
    path: str | Path,
    *,
    scores: ScoreTable | None = None,
    images: str | Path | None = None,
    metric: str | None = None,
    by: str | None = None,
    reason: str = "",
) -> WrittenPage:
    """Write the report of a subset: the page, and beside it a folder of the same plots as PNG.

    The same origin and scores give the same bytes.

    Args:
        origin: From `find_origin`.
        path: The HTML file; the folder of plots is called like it, with `-plots`.
        scores: The scores of all prompts; without them only what the manifest tells is shown.
        images: Run folder whose kept images are shown.
        metric: The metric shown first, of several.
        by: A tag of the prompts: how the variants rank on those of each of its values.
        reason: Why there are no scores, where that is known.

    Raises:
        DataError: Scores of other prompts or metrics, a metric the subset does not serve, no kept
            images, or a file that cannot be written.

    """
    contents = contents_of(
        origin,
        None if scores is None else scores_of(origin.subset, scores),
        images=None if images is None else Path(images),
        metric=metric,
        by=by,
        reason=reason,
    )
    page = Path(path)
    plots = page.with_name(f"{page.stem}-plots")
    for plot in contents.plots:
        with atomic_write(plots / f"{plot.key}.png") as temporary:
            temporary.write_bytes(png_bytes(plot))
    with atomic_write(page) as temporary:
        temporary.write_bytes(page_html(contents).encode("utf-8", "replace"))
    return WrittenPage(page, plots, contents)


def page_html(contents: Contents) -> str:
    """Return the page; every name, id, text and warning in it is escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def svg(plot: Drawing) -> Markup:
        return Markup(inline_svg(plot))  # noqa: S704 - matplotlib escapes, as does what names points

    return environment.get_template("page.html").render(
        page=contents,
        svg=svg,
        style=Markup(_template("page.css")),  # noqa: S704 - ours, as is the script
        script=Markup(_template("page.js")),  # noqa: S704
    )


@cache
def _template(name: str) -> str:
    folder = resources.files(__package__) / "template"
    return (folder / name).read_text("utf-8")
