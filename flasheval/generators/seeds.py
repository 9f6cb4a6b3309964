"""The seed of an image: from the run's seed and the prompt's id alone."""

from __future__ import annotations

import hashlib

__all__ = ["image_seed"]


def image_seed(seed: int, prompt_id: str) -> int:
    """Return the seed of a prompt's image, an integer in [0, 2**32).

    It is the first four bytes of the sha256 of ``seed/prompt_id``, so a prompt's image does not
    depend on the order, the batch or the subset it is generated in.

    >>> image_seed(0, "37"), image_seed(1, "37")
    (3151561419, 92636357)
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{prompt_id}".encode()).digest()[:4], "big")
