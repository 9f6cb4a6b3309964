"""How often the network that denoises is really run."""

from __future__ import annotations

from typing import Any

__all__ = ["EvaluationCounter", "denoiser_of"]


class EvaluationCounter:
    """Counts the calls of a network while the block runs.

    The steps asked for are not the evaluations made: PNDM and Heun run the network more often. A
    call for several images at once, or for both halves of guidance, is one evaluation of each.

    Args:
        network: A torch module.

    """

    def __init__(self, network: Any) -> None:
        self._network, self._hook = network, None
        self.calls = 0

    def __enter__(self) -> EvaluationCounter:
        self._hook = self._network.register_forward_pre_hook(self._count)
        return self

    def _count(self, module: Any, inputs: Any) -> None:
        self.calls += 1

    def __exit__(self, *_: object) -> None:
        if self._hook is not None:
            self._hook.remove()


def denoiser_of(pipeline: Any) -> Any:
    """Return a pipeline's network that denoises: its ``unet``, ``transformer`` or ``prior``.

    None where it has none of them.
    """
    names = ("unet", "transformer", "prior", "decoder")
    found = (getattr(pipeline, name, None) for name in names)
    return next((network for network in found if network is not None), None)
