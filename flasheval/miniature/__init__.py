"""The miniature: a drawn world, and small models that were really trained on it.

They travel with the package, so that things can be tried without a download. The world is `world`
(what captions ask for), `layout`, `drawing` and `prompts`; `models/` holds the weights, which
`scripts/train_miniature.py` makes. A shipped checkpoint is named ``miniature:clip`` and so on.
"""

__all__: list[str] = []
