"""What every scorer with a model does: load its parts quietly, check them, compute as loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

from flasheval.base.errors import DataError
from flasheval.base.models.weights import Weights

__all__ = ["Dtype", "as_loaded", "check_installed", "load_model", "load_part", "put", "quiet"]

Dtype: TypeAlias = Literal["auto", "fp32", "fp16", "bf16"]
_TORCH_NAMES = {"auto": "auto", "fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


def check_installed(name: str) -> None:
    """Raise DataError unless what loads the checkpoint ``name`` is installed."""
    try:
        import PIL  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise DataError(
            f"checkpoint {name}: {error.name} is not installed; "
            'run pip install "flasheval[generate]"'
        ) from error


def load_part(
    weights: Weights, what: str, from_pretrained: Callable[..., Any], *, of: str, **options: Any
) -> Any:
    """Return a part of a checkpoint, or raise DataError in one line.

    Args:
        weights: Where it is.
        what: What it is, such as ``tokenizer``.
        from_pretrained: Loads it; with ``state_dict`` among the options it reads no file.
        of: What the checkpoint is to be, such as ``a CLIP``.
        options: For ``from_pretrained``.

    """
    path = None if "state_dict" in options else weights.path
    try:
        return from_pretrained(path, revision=weights.commit, **options)
    except Exception as error:  # safetensors, tokenizers and the Hub each raise their own
        raise DataError(
            f"checkpoint {weights.name}: its {what} cannot be loaded ({_first_line(error)}); "
            f"is it {of} checkpoint, and whole?"
        ) from error


def load_model(weights: Weights, model: Any, dtype: Dtype, *, of: str, **options: Any) -> Any:
    """Return a transformers model with every weight in place, or raise DataError in one line.

    Args:
        weights: Where it is.
        model: Its class.
        dtype: Of the weights; ``auto`` is as they are stored.
        of: What the checkpoint is to be, such as ``a CLIP``.
        options: For ``from_pretrained``: ``config`` and ``state_dict`` of weights already read.

    """
    import torch

    kind = _TORCH_NAMES[dtype]
    loaded, info = load_part(
        weights,
        "model",
        model.from_pretrained,
        of=of,
        dtype=kind if kind == "auto" else getattr(torch, kind),
        use_safetensors=True,
        ignore_mismatched_sizes=True,  # told below, in one line
        output_loading_info=True,
        **options,
    )
    lost = sorted([*info["missing_keys"], *(str(key[0]) for key in info["mismatched_keys"])])
    if lost:  # transformers would go on with random numbers in their place
        raise DataError(
            f"checkpoint {weights.name}: {len(lost)} weights of {of} model are missing or of "
            f"another shape, such as {lost[0]}; is it {of} checkpoint, and whole?"
        )
    if "state_dict" in options and info["unexpected_keys"]:
        more = sorted(info["unexpected_keys"])[0]
        raise DataError(f"checkpoint {weights.name}: {more} is no weight of {of} model; is it one?")
    return loaded


def put(model: Any, weights: Weights, device: str) -> Any:
    """Return the model on a device, for evaluation only. Raises DataError where it cannot go."""
    try:
        return model.to(device).eval().requires_grad_(False)
    except (RuntimeError, AssertionError, ValueError) as error:
        raise DataError(
            f"checkpoint {weights.name}: it cannot be put on device {device} ({_first_line(error)})"
        ) from error


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


@contextmanager
def as_loaded(device: str) -> Iterator[None]:
    """Compute in the weights' own dtype, whatever a training loop around has switched on."""
    import torch

    # TensorFloat-32 keeps 10 bits; torch's default for convolutions. Settings of torch 2.9 on.
    places: list[Any] = [torch.backends.cuda.matmul, getattr(torch.backends.cudnn, "conv", None)]
    before = {place: place.fp32_precision for place in places if hasattr(place, "fp32_precision")}
    try:
        for place in before:
            place.fp32_precision = "ieee"
        with torch.inference_mode(), torch.autocast(device, enabled=False):
            yield
    finally:
        for place, precision in before.items():
            place.fp32_precision = precision


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from its bars and tables of what it loaded; a download shows its bar."""
    import huggingface_hub.utils
    import transformers.utils.logging

    hub: Any = huggingface_hub.utils  # neither says what it exports
    logging: Any = transformers.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    downloads = not hub.are_progress_bars_disabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()  # the Hub's too
    if downloads:
        hub.enable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
        if not downloads:
            hub.disable_progress_bars()
