"""Counting how often the denoising network of a pipeline runs."""

from __future__ import annotations

from typing import Any

__all__ = ["EvaluationCounter", "denoiser_of"]


class EvaluationCounter:
    """A context manager that counts the calls of a network in ``calls``.

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
    """Return the denoising network of a pipeline, or None when it has none.

    It is the first of ``unet``, ``transformer``, ``prior`` and ``decoder`` that the pipeline has.

    >>> from types import SimpleNamespace
    >>> denoiser_of(SimpleNamespace(unet="the UNet", vae="the VAE"))
    'the UNet'
    """
    names = ("unet", "transformer", "prior", "decoder")
    found = (getattr(pipeline, name, None) for name in names)
    return next((network for network in found if network is not None), None)
