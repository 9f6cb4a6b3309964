"""Folders of checkpoints as training scripts leave them, and as they look half-way."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError, SettingError
from flasheval.base.models.weights import local_path
from flasheval.evaluation.watching.checkpoint_files import find_checkpoints, natural, step_of
from flasheval.evaluation.watching.completeness import content_of, safetensors_header, unfinished

ELSEWHERE = ("vae", "text_encoder", "tokenizer")


def pipeline(folder: Path) -> Path:
    return Path(shutil.copytree(local_path("miniature:small-final"), folder))


def weights(path: Path, name: str = "w", count: int = 6) -> Path:
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.arange(count, dtype=np.float32)}, path)
    return path


def names(folder: Path, **settings: object) -> list[str]:
    return [one.name for one in find_checkpoints(folder, **settings)]


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("checkpoint-2000", 2000),
        ("step_2000", 2000),
        ("step2000", 2000),
        ("run-7/checkpoint-00500/pytorch_lora_weights.safetensors", 500),
        ("epoch=3-step=1200.ckpt", 1200),
        ("global_step12", 12),
        ("mylora-step00000500.safetensors", 500),
        ("iter_40000.pth", 40000),
        ("2000-steps", 2000),
        ("2000", 2000),
        ("mylora-000004.safetensors", 4),
        ("final", None),
        ("v1-5", None),
        ("footstep5", None),
        ("epoch-3", None),
        ("lora-sdxl-1024", None),
        ("lora-sdxl-1024/checkpoint-500", 500),
        ("checkpoint-500/lora-sdxl-1024.safetensors", 500),
        ("sdxl-768x1024-step-30", 30),
        ("ckpt_512px", None),
        ("20250203.safetensors", None),
        ("2025-02-03.safetensors", None),
        ("run-20250203_081540/checkpoint-40", 40),
        ("checkpoint-2025-02-03", None),
        ("2025-02-03_08-15-40-save-1200-12-0.safetensors", 1200),
        ("model-2025", None),
        ("ckpt_20k", 20000),
        ("step-1.5k.safetensors", 1500),
        ("10k-steps", 10000),
        ("20K_iters", 20000),
        ("coco-30k", None),
        ("made15-512-e12-s2400.safetensors", 2400),
        ("made-ep03-gs01500.ckpt", 1500),
        ("made-s42", None),
        ("made-1500", 1500),
        ("1024", 1024),
    ],
)
def test_the_step_is_read_off_the_name(name, step):
    assert step_of(name) == step


def test_the_cases_names(cases):
    lines = (cases / "c01_step_names" / "names.tsv").read_text("utf-8").splitlines()[1:]
    for name, step in (line.split("\t") for line in lines):
        assert step_of(name) == (int(step) if step else None), name


def test_checkpoints_come_by_step_and_names_by_their_numbers(tmp_path):
    for name in ("checkpoint-1000", "checkpoint-500", "final", "b/step_700", "epoch-10", "epoch-9"):
        pipeline(tmp_path / name)
    found = find_checkpoints(tmp_path)
    assert [one.step for one in found] == [500, 700, 1000, None, None, None]
    assert [one.name for one in found] == [
        "checkpoint-500",
        "b/step_700",
        "checkpoint-1000",
        "epoch-9",
        "epoch-10",
        "final",
    ]
    assert {one.kind for one in found} == {"pipeline"}
    assert sorted(found[0].files) == [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    ]
    assert names(tmp_path, pattern="checkpoint-*") == ["checkpoint-500", "checkpoint-1000"]
    assert natural("a2b") < natural("a10b") < natural("b")


def test_what_a_training_writes_at_its_end_stands_beside_its_checkpoints(tmp_path):
    top = pipeline(tmp_path / "training")
    pipeline(top / "checkpoint-500")
    (top / "logs").mkdir()
    (top / "losses.json").write_text("[1]")
    found = find_checkpoints(top)
    assert [one.name for one in found] == ["checkpoint-500", "training"]
    assert "losses.json" not in found[1].files


def test_parts_and_weights(tmp_path):
    for part in ("unet", "text_encoder"):
        shutil.copytree(
            local_path("miniature:small-final") / "unet", tmp_path / "checkpoint-20" / part
        )
    (tmp_path / "checkpoint-20" / "optimizer.bin").write_bytes(b"x")
    weights(tmp_path / "checkpoint-20" / "model.safetensors")
    weights(tmp_path / "checkpoint-10" / "pytorch_lora_weights.safetensors")
    weights(tmp_path / "model-00001-of-00002.safetensors")
    first, second = find_checkpoints(tmp_path, parts=("unet", "text_encoder", "vae"))
    assert (first.name, first.kind, first.step) == (
        "checkpoint-10/pytorch_lora_weights.safetensors",
        "weights",
        10,
    )
    assert (second.name, second.kind) == ("checkpoint-20", "parts")
    assert second.parts == ("text_encoder", "unet")
    assert "optimizer.bin" not in second.files
    assert unfinished(first) is None
    assert unfinished(second) is None


def test_what_is_hidden_too_deep_or_ours_is_passed_over(tmp_path):
    pipeline(tmp_path / ".hidden")
    pipeline(tmp_path / "a/b/c/kept")
    pipeline(tmp_path / "a/b/c/d/deep")
    pipeline(tmp_path / "out/mine")
    assert names(tmp_path, skip=tmp_path / "out") == []
    pipeline(tmp_path / "a/b/kept")
    assert names(tmp_path, skip=tmp_path / "out") == ["a/b/kept"]
    assert names(tmp_path / "a/b/kept/unet") == ["diffusion_pytorch_model.safetensors"]
    assert names(tmp_path / "nowhere") == []


def test_a_loader_takes_whatever_fits_the_pattern(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("a/step=2.ckpt", "step=10.ckpt", "notes.txt", ".step=1.ckpt"):
        (tmp_path / name).write_text("x")
    found = find_checkpoints(tmp_path, loader=True)
    assert [one.name for one in found] == ["step=10.ckpt", "a", "notes.txt"]
    assert {one.kind for one in found} == {"path"}
    assert names(tmp_path, loader=True, pattern="**/*.ckpt") == ["a/step=2.ckpt", "step=10.ckpt"]
    for pattern in ("../*", "/etc/*", "a/../../*"):
        with pytest.raises(SettingError, match="within the folder"):
            find_checkpoints(tmp_path, loader=True, pattern=pattern)


def test_links_lead_nowhere_silently(tmp_path):
    outside, watched = pipeline(tmp_path / "elsewhere"), tmp_path / "watched"
    pipeline(watched / "checkpoint-1")
    (watched / "latest").symlink_to("checkpoint-1")
    (watched / "stolen").symlink_to(outside)
    shutil.copytree(watched / "checkpoint-1", watched / "checkpoint-2")
    shutil.rmtree(watched / "checkpoint-2/unet")
    (watched / "checkpoint-2/unet").symlink_to(outside / "unet")
    shutil.copytree(watched / "checkpoint-1", watched / "checkpoint-3")
    (watched / "checkpoint-3/unet/config.json").unlink()
    (watched / "checkpoint-3/unet/config.json").symlink_to(outside / "unet/config.json")
    shutil.copytree(watched / "checkpoint-1", watched / "checkpoint-4")
    shutil.rmtree(watched / "checkpoint-4/unet")
    (watched / "checkpoint-4/unet").symlink_to("../checkpoint-1/unet")
    (watched / "loop").symlink_to("loop")
    found = {one.name: one for one in find_checkpoints(watched)}
    assert list(found) == [*(f"checkpoint-{i}" for i in (1, 2, 3, 4)), "stolen"]
    for name in ("checkpoint-2", "checkpoint-3", "stolen"):
        with pytest.raises(DataError, match="a link that leads out of the watched folder"):
            unfinished(found[name], ELSEWHERE)
    assert unfinished(found["checkpoint-4"], ELSEWHERE) is None
    assert "unet/config.json" in found["checkpoint-4"].files


def test_a_pipeline_is_left_alone_until_it_is_whole(tmp_path):
    whole = local_path("miniature:small-final")
    place = tmp_path / "checkpoint-1"

    def lacks(elsewhere=ELSEWHERE):
        return unfinished(find_checkpoints(tmp_path)[0], elsewhere)

    place.mkdir()
    index = (whole / "model_index.json").read_bytes()
    (place / "model_index.json").write_bytes(index[:40])
    assert lacks() == "model_index.json is not whole"
    (place / "model_index.json").write_bytes(index)
    assert lacks() == "scheduler is not there yet"
    shutil.copytree(whole / "scheduler", place / "scheduler")
    assert lacks() == "unet is not there yet"
    (place / "unet").mkdir()
    assert lacks() == "unet has no configuration yet"
    config = (whole / "unet/config.json").read_bytes()
    (place / "unet/config.json").write_bytes(config[:-20])
    assert lacks() == "unet/config.json is not whole"
    (place / "unet/config.json").write_bytes(config)
    assert lacks() == "unet has no weights yet"
    file = place / "unet/diffusion_pytorch_model.safetensors"
    tensors = (whole / "unet" / file.name).read_bytes()
    file.write_bytes(tensors[:-1])
    assert lacks().startswith("diffusion_pytorch_model.safetensors is not whole: it has 820,863")
    file.write_bytes(tensors)
    assert lacks() is None
    assert lacks(()) == "text_encoder is not there yet"


def test_shards_are_all_there_and_lead_nowhere(tmp_path):
    place = pipeline(tmp_path / "checkpoint-1")
    part = place / "unet"
    (part / "diffusion_pytorch_model.safetensors").unlink()
    index = part / "diffusion_pytorch_model.safetensors.index.json"

    def lacks(*shards):
        index.write_text(json.dumps({"weight_map": dict(enumerate(shards))}))
        return unfinished(find_checkpoints(tmp_path)[0], ELSEWHERE)

    weights(part / "m-00001-of-00002.safetensors")
    both = "m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"
    assert lacks(*both) == "unet/m-00002-of-00002.safetensors is not there yet"
    weights(part / both[1])
    assert lacks(*both) is None
    for name in ("../x.safetensors", "/etc/passwd", "", ".."):
        with pytest.raises(DataError, match="leads elsewhere"):
            lacks(name)
    index.write_text("[]")
    (found,) = find_checkpoints(tmp_path)
    with pytest.raises(DataError, match="not an index of weights"):
        unfinished(found, ELSEWHERE)


@pytest.mark.parametrize(
    ("index", "reason"),
    [("[]", "not the index"), ('{"../../etc": ["diffusers", "X"]}', "not a folder name")],
)
def test_an_index_that_never_will_be_one(tmp_path, index, reason):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/model_index.json").write_text(index)
    (found,) = find_checkpoints(tmp_path)
    with pytest.raises(DataError, match=reason):
        unfinished(found)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_safetensors_cut_or_garbled_are_not_whole(tmp_path, data):
    path = weights(tmp_path / "a.safetensors")
    content = path.read_bytes()
    assert list(safetensors_header(path)) == ["w"]
    cut = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:cut])
    with pytest.raises(ValueError, match=r"header|JSON|Expecting|Unterminated|Invalid|delimiter"):
        safetensors_header(path)
    path.write_bytes(content[:8] + data.draw(st.binary(min_size=len(content) - 8, max_size=99)))
    if path.read_bytes() != content:
        (found,) = find_checkpoints(tmp_path)
        assert (unfinished(found) or "").startswith("a.safetensors is not whole") or (
            safetensors_header(path) is not None
        )


def test_content_is_told_by_names_and_bytes_not_by_times(tmp_path):
    place = pipeline(tmp_path / "a")

    def content():
        return content_of(find_checkpoints(tmp_path)[0])

    before, file = content(), place / "unet/config.json"
    os.utime(file, (1, 1))
    assert content() == before
    file.write_text(file.read_text() + " ")
    assert content() != before
    file.write_text(file.read_text()[:-1])
    assert content() == before
    file.rename(place / "unet/other.json")
    assert content() != before
