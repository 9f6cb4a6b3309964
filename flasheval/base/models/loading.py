"""Loading a model for a scorer: without noise, with every weight checked, in its stored dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

from flasheval.base.errors import DataError
from flasheval.base.extras import pip_command
from flasheval.base.models.weights import Weights

__all__ = ["Dtype", "as_loaded", "check_installed", "load_model", "load_part", "put", "quiet"]

Dtype: TypeAlias = Literal["auto", "fp32", "fp16", "bf16"]
_TORCH_NAMES = {"auto": "auto", "fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


def check_installed(name: str) -> None:
    """Raise DataError unless PIL, torch and transformers are installed.

    ``name`` is the checkpoint that needs them, for the message.
    """
    try:
        import PIL  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise DataError(
            f"checkpoint {name}: {error.name} is not installed; "
            f"run {pip_command(error.name or 'torch')}"
        ) from error


def load_part(
    weights: Weights, what: str, from_pretrained: Callable[..., Any], *, of: str, **options: Any
) -> Any:
    """Load one part of a checkpoint, such as its tokenizer.

    Args:
        weights: The checkpoint.
        what: The part's name for messages, such as ``tokenizer``.
        from_pretrained: The function that loads it, called with the path and ``revision=``; with
            ``state_dict`` among the options the path is None and no file is read.
        of: The kind of checkpoint expected, for messages, such as ``a CLIP``.
        options: Further arguments of ``from_pretrained``.

    Raises:
        DataError: The part cannot be loaded; the message gives the reason.

    >>> weights = Weights("my-clip", "my-clip", "sha256:0")
    >>> load_part(weights, "tokenizer", lambda path, revision: f"read from {path}", of="a CLIP")
    'read from my-clip'

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
    """Load a transformers model and check that no weight is missing.

    Args:
        weights: The checkpoint.
        model: The model's class.
        dtype: The type of the weights; ``auto`` keeps the type they are stored in.
        of: The kind of checkpoint expected, for messages, such as ``a CLIP``.
        options: Further arguments of ``from_pretrained``, such as ``config`` and ``state_dict``.

    Raises:
        DataError: The model cannot be loaded, or weights are missing, unknown or of another shape.

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
        raise DataError(
            f"checkpoint {weights.name}: {more} is not a weight of {of} model; is it one?"
        )
    return loaded


def put(model: Any, weights: Weights, device: str) -> Any:
    """Move a model to a device and prepare it for evaluation, without gradients.

    Raises DataError when the model cannot be put on the device.
    """
    try:
        return model.to(device).eval().requires_grad_(False)
    except (RuntimeError, AssertionError, ValueError) as error:
        raise DataError(
            f"checkpoint {weights.name}: it cannot be put on device {device} ({_first_line(error)})"
        ) from error


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__


@contextmanager
def as_loaded(device: str) -> Iterator[None]:
    """Compute in the dtype of the weights, also inside a loop that uses autocast or TF32."""
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
    """Hide the progress bars and reports of transformers; downloads still show their bar."""
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
