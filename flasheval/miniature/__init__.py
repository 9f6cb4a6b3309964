"""The miniature: a drawn world, small models really trained on it, and their scores.

It travels with the package, so that everything can be tried without a download. The world is
`world` (what captions ask for), `layout`, `drawing` and `prompts`; `models/` holds the weights and
`score_table/` the scores of the population in ``conf/population/miniature.yaml``.
"""

__all__ = ["SCORERS"]

SCORERS = (
    {"name": "clip", "checkpoint": "miniature:clip"},
    "miniature-detector",
    "miniature-quality",
)
"""What the population is scored by, as `flasheval.run` takes it."""
