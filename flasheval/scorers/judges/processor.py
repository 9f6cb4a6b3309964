"""A vision-language model's processor, built from its parts: none of them needs torchvision."""

from __future__ import annotations

import copy
import inspect
from typing import Any, cast

from flasheval.base.errors import DataError
from flasheval.base.models.loading import load_part
from flasheval.base.models.weights import Weights

__all__ = ["Chat", "load_chat"]

_OF = "an image-text-to-text"
# The class of the left writes images as that of the right does, but wants a package for videos.
_AS = {"SmolVLMProcessor": "Idefics3Processor"}
# What a language model needs beside the features of the images; the rest is for the vision part.
_FOR_TEXT = (
    *("input_ids", "attention_mask", "mm_token_type_ids", "token_type_ids"),
    "image_grid_thw",
)


class Chat:
    """A processor and its chat template: one question about one image as a model's inputs.

    Args:
        processor: A processor of transformers that keeps an image it has read; see `load_chat`.
        template: Whether it has a chat template; without one a question follows its image.

    """

    def __init__(self, processor: Any, template: bool) -> None:
        self.processor, self._template = processor, template

    @property
    def tokenizer(self) -> Any:
        """The tokenizer."""
        return self.processor.tokenizer

    def read(self, image: Any, turns: list[tuple[str | None, str]]) -> list[dict[str, Any]]:
        """Return the inputs of each question about an image, which is read once.

        Args:
            image: An RGB image.
            turns: The system's turn, or None, and the question.

        Raises ValueError as transformers does for an image it cannot take.

        """
        self.processor.kept = None
        found = []
        for system, question in turns:
            inputs = self.processor(
                images=[image], text=[self.text(system, question)], return_tensors="pt"
            )
            found.append(dict(inputs))
        self.processor.kept = None
        return found

    def text(self, system: str | None, question: str) -> str:
        """Return a question about an image as the model reads it, up to where its answer begins."""
        if not self._template:
            image: str = self.processor.image_token
            return image + (f"{system}\n" if system else "") + question
        turns: list[dict[str, Any]] = [
            {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}
        ]
        if system:
            turns.insert(0, {"role": "system", "content": [{"type": "text", "text": system}]})
        said: str = self.processor.apply_chat_template(
            turns, add_generation_prompt=True, tokenize=False
        )
        return said

    @staticmethod
    def for_text(inputs: dict[str, Any]) -> dict[str, Any]:
        """Return those of a model's inputs that its language part takes."""
        return {name: inputs[name] for name in _FOR_TEXT if name in inputs}


def load_chat(weights: Weights, config: Any) -> Chat:
    """Load tokenizer, image processor and chat template, and put the processor together.

    Args:
        weights: The checkpoint.
        config: The model's configuration.

    Raises:
        DataError: A part is missing, or there is no processor for this kind of model.

    """
    import transformers
    from transformers import AutoTokenizer
    from transformers.models.auto import modeling_auto, processing_auto
    from transformers.processing_utils import ProcessorMixin

    classes, models = cast("Any", processing_auto), cast("Any", modeling_auto)
    name = classes.PROCESSOR_MAPPING_NAMES.get(config.model_type)
    if name is None or config.model_type not in models.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        raise DataError(
            f"checkpoint {weights.name}: a {config.model_type} is no model that reads images and "
            "text together; give one of Qwen2.5-VL, Qwen3-VL, SmolVLM, InternVL, PaliGemma or "
            "LLaVA-OneVision"
        )
    kind = getattr(transformers, _AS.get(name, name))
    settings = load_part(weights, "processor", _settings_of(ProcessorMixin), of=_OF)
    tokenizer = load_part(
        weights, "tokenizer", AutoTokenizer.from_pretrained, of=_OF, trust_remote_code=False
    )
    images = load_part(weights, "image processor", _images_of(config.model_type), of=_OF)
    if not hasattr(images, "image_seq_length") and hasattr(config, "text_config"):
        length = getattr(config.text_config, "num_image_tokens", None)
        if length is not None:  # PaliGemma says it in either place
            images.image_seq_length = length
    known = inspect.signature(kind.__init__).parameters
    own = {key: value for key, value in settings.items() if key in known}
    own |= {key: None for key in ("video_processor",) if key in known}
    own = {"image_seq_len": _tile_length(config), **own} if "image_seq_len" in known else own
    made = load_part(
        weights,
        "processor",
        lambda path, revision: _without_videos(kind)(
            **{**own, "image_processor": images, "tokenizer": tokenizer}
        ),
        of=_OF,
    )
    tokenizer.padding_side = "left"
    template = bool(made.chat_template or tokenizer.chat_template)
    if not template and config.model_type != "paligemma":
        raise DataError(
            f"checkpoint {weights.name}: it has no chat template, so where its answer begins is "
            "not known; give a checkpoint that was trained for chats (-Instruct)"
        )
    return Chat(made, template)


def _tile_length(config: Any) -> int:
    """Return the tokens of one tile of an image, as Idefics3 and SmolVLM count them.

    >>> from types import SimpleNamespace as Some
    >>> _tile_length(Some(vision_config=Some(image_size=512, patch_size=16), scale_factor=4))
    64
    """
    side = config.vision_config.image_size // config.vision_config.patch_size
    return int(side**2 / config.scale_factor**2)


def _settings_of(mixin: Any) -> Any:
    def read(path: str, revision: str | None) -> dict[str, Any]:
        found: dict[str, Any] = mixin.get_processor_dict(path, revision=revision)[0]
        return found

    return read


def _images_of(model_type: str) -> Any:
    """Return what loads the image processor that a file names, or else that of the model's kind."""
    import transformers
    from transformers.models.auto import image_processing_auto

    usual = cast("Any", image_processing_auto).IMAGE_PROCESSOR_MAPPING_NAMES
    auto = cast("Any", transformers.AutoImageProcessor)  # it has no types

    def read(path: str, revision: str | None) -> Any:
        try:
            return auto.from_pretrained(
                path, revision=revision, backend="pil", trust_remote_code=False
            )
        except ValueError:  # early uploads name classes that were called otherwise later
            name = usual.get(model_type, {}).get("pil")
            if name is None:
                raise
            return getattr(transformers, name).from_pretrained(path, revision=revision)

    return read


def _without_videos(kind: Any) -> Any:
    """Return a processor's class without its part for videos, which would need torchvision.

    It keeps what it made of an image until `kept` is set to None: further questions about the
    image cost no work on its pixels.
    """

    class WithoutVideos(kind):  # type: ignore[misc] # the class is known when it is loaded
        kept: Any = None

        @classmethod
        def get_attributes(cls) -> list[str]:
            return ["image_processor", "tokenizer"]

        def _process_images(self, images: Any, **options: Any) -> Any:
            if self.kept is None:
                self.kept = super()._process_images(images, **options)
            data, written = self.kept
            return copy.copy(data), list(written)  # some processors take things out of it

    return WithoutVideos
