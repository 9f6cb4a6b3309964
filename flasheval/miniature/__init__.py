"""The miniature: a drawn world, small models really trained on it, and their scores.

It comes with the package, so that everything can be tried without a download. The world is in
`world` (scenes and captions), `layout`, `drawing` and `prompts`; `models/` holds the weights and
`score_table/` the scores of the population in ``conf/population/miniature.yaml``.
"""

__all__ = ["SCORERS"]

SCORERS = (
    {"name": "clip", "checkpoint": "miniature:clip"},
    "miniature-detector",
    "miniature-quality",
)
"""The scorers of the population, as `flasheval.run` takes them."""
