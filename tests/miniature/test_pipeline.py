"""The miniature's pipelines are loaded for training and trying out."""

import pytest

from flasheval.base.errors import DataError
from flasheval.base.models.weights import local_path
from flasheval.miniature.pipeline import PIPELINES, load_pipeline


@pytest.mark.slow
def test_a_pipeline_is_loaded_without_a_word(capfd):
    torch = pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    pipe = load_pipeline("small-middle")
    assert type(pipe).__name__ == "StableDiffusionPipeline"
    assert type(pipe.scheduler).__name__ == "DPMSolverMultistepScheduler"
    for part in (pipe.unet, pipe.vae, pipe.text_encoder):
        assert {one.dtype for one in part.parameters()} == {torch.float32}
    assert all(one.requires_grad for one in pipe.unet.parameters())
    assert capfd.readouterr() == ("", "")


def test_names():
    assert all(local_path(f"miniature:{name}").is_dir() for name in PIPELINES)
    for name in ("clip", "nope", ""):
        with pytest.raises(DataError, match=r"there is no pipeline .* there are: large-final, "):
            load_pipeline(name)
