"""HPS v2 (Wu et al. 2023): a CLIP ViT-H/14 trained on people's choices between two images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from flasheval.base.canonical import JSON
from flasheval.base.models.loading import check_installed, load_model, put, quiet
from flasheval.base.models.stored import read_state
from flasheval.base.models.weights import Weights, locate, locate_file
from flasheval.scorers.clip import ClipScorer, ClipSettings
from flasheval.scorers.clip_model import ClipModel, load_tokenizer
from flasheval.scorers.longest_side import LongestSide
from flasheval.scorers.open_clip_layout import clip_config, to_clip_model

__all__ = ["HpsScorer", "HpsSettings"]

_CHECKPOINT, _FILE = "xswu/HPSv2", "HPS_v2_compressed.pt"
_REVISION = "697403c78157020a1ae59d23f111aa58ced35b0a"
# The published file has no tokenizer beside it.
_TOKENIZER = "laion/CLIP-ViT-H-14-laion2B-s32B-b79K"
_TOKENIZER_REVISION = "1c2b8495b28150b8a4922ee1c8edee224c284c0c"


class HpsScorer(ClipScorer):
    """HPS v2, ``cos(E_image, E_text)`` of its own CLIP (Wu et al. 2023, arXiv 2306.09341).

    The published package returns this cosine, around 0.2 to 0.3; papers often show it times 100.
    """


@dataclass(frozen=True)
class HpsSettings(ClipSettings):
    """Settings of HPS v2: those of CLIPScore, with other defaults, and three more.

    A checkpoint is a CLIPModel, or a single file in open_clip's layout, which is how the weights
    are published.

    Attributes:
        file: The file in a folder or Hub repository; None is HPS_v2_compressed.pt for the default
            checkpoint, and a CLIPModel for any other. ``HPS_v2.1_compressed.pt`` of the default
            checkpoint is version 2.1.
        tokenizer: The tokenizer: a folder, or a name on the Hub; None is the published one for a
            single file, and the checkpoint's own for a CLIPModel.
        tokenizer_revision: As `revision`, for `tokenizer`.

    >>> HpsSettings(file="HPS_v2.1_compressed.pt", metric_name="HPS-2.1").metric
    'HPS-2.1'

    """

    kind: ClassVar[str] = "hps"
    tested: ClassVar[Mapping[str, str]] = {
        _CHECKPOINT: _REVISION,
        _TOKENIZER: _TOKENIZER_REVISION,
    }
    checkpoint: str = _CHECKPOINT
    metric_name: str = "HPS"
    file: str | None = None
    tokenizer: str | None = None
    tokenizer_revision: str | None = None

    @property
    def version(self) -> str:
        """Checkpoint, revision and file, such as ``xswu/HPSv2@697403c7 HPS_v2_compressed.pt``.

        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "HPS_v2.1_compressed.pt").write_bytes(b"weights")
        ...     settings = HpsSettings(checkpoint=folder, file="HPS_v2.1_compressed.pt")
        ...     settings.version  # a local file: its name and the hash of its content
        'HPS_v2.1_compressed.pt@9a129038'
        """
        file = self._file if self.weights.commit else None
        return f"{super().version} {file}" if file else super().version

    @cached_property
    def weights(self) -> Weights:
        """The path and revision of the checkpoint. Raises DataError when it is not found."""
        if self._file is None:
            return locate(self.checkpoint, self.revision, tested=self.tested)
        return locate_file(self.checkpoint, self._file, self.revision, tested=self.tested)

    @cached_property
    def tokenizer_weights(self) -> Weights:
        """The path and revision of the tokenizer. Raises DataError when it is not found."""
        usual = self.checkpoint if self._file is None else _TOKENIZER
        name = self.tokenizer or usual
        return self.beside(name, self.tokenizer_revision, "tokenizer_config.json")

    def _tokenizer_weights(self) -> Weights:
        return self.tokenizer_weights

    def identity(self) -> dict[str, JSON]:
        """Return the revisions of model and tokenizer, the file's name, and the dtype."""
        file = self._file if self.weights.commit else None  # its hash tells a local one
        return {**super().identity(), "file": file, "tokenizer": self.tokenizer_weights.revision}

    def load(self, device: str) -> HpsScorer:
        """Load the model onto a device."""
        check_installed(self.checkpoint)
        with quiet():
            model = self._model()
            tokenizer = load_tokenizer(self.tokenizer_weights, model)
        pixels = LongestSide(model.config.vision_config.image_size)
        clip = ClipModel(put(model, self.weights, device), tokenizer, pixels, self.batch)
        return HpsScorer(self.metric, self.version, clip)

    def _model(self) -> Any:
        from transformers import CLIPModel

        if self._file is None:
            return load_model(self.weights, CLIPModel, self.dtype, of="a CLIP")
        state = read_state(self.weights, self._file)
        config = clip_config(state, self.checkpoint)
        state = to_clip_model(state, self.checkpoint)
        return load_model(
            self.weights, CLIPModel, self.dtype, of="a CLIP", config=config, state_dict=state
        )

    @property
    def _file(self) -> str | None:
        """The single file; its name matters on the Hub and in folders only. None: a CLIPModel."""
        if self.checkpoint.endswith((".pt", ".pth", ".bin", ".safetensors")):
            return self.file or self.checkpoint
        return self.file or (_FILE if self.checkpoint == _CHECKPOINT else None)
