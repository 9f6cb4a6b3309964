"""Weights that the files lack are found, wherever they would have been made up."""

import logging
import shutil

import pytest

from flasheval.base.errors import DataError
from flasheval.generators.diffusers_settings import DiffusersSettings


@pytest.mark.parametrize(
    ("part", "file"),
    [
        ("text_encoder", "model.safetensors"),
        ("unet", "diffusion_pytorch_model.safetensors"),
        ("vae", "diffusion_pytorch_model.safetensors"),
    ],
)
def test_a_weight_the_files_lack_is_one_line(tiny_models, tmp_path, part, file):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "lost"
    shutil.copytree(tiny_models["sd"], folder)
    weights = load_file(folder / part / file)
    name = next(name for name in sorted(weights) if weights[name].ndim > 1)
    del weights[name]
    save_file(weights, folder / part / file, metadata={"format": "pt"})
    with pytest.raises(DataError, match=rf"its files lack the weights .*{name}; are they whole"):
        DiffusersSettings(str(folder)).load("cpu")


def test_the_library_logs_as_before_afterwards(tiny_models):
    logger = logging.getLogger("transformers.modeling_utils")
    before = (logger.level, logger.propagate, list(logger.handlers))
    DiffusersSettings(str(tiny_models["sd"])).load("cpu")
    assert (logger.level, logger.propagate, list(logger.handlers)) == before
