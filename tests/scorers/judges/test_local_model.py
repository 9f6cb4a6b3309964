"""Answers of local models against the models' own logits, and what they promise of batches."""

import gc
import inspect
import json
import shutil
import weakref

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.base.models.weights import locate
from flasheval.scorers.judges.asking import Ask
from flasheval.scorers.judges.resident import resident_model

KINDS = ("qwen2_5_vl", "qwen3_vl", "smolvlm", "paligemma", "internvl", "llava_onevision")
QUESTIONS = ('Does this image show "a cat"?', "Yes or no?", "Is the dog on the long mat? " * 3)


@pytest.fixture(params=KINDS)
def asked(request, judge_folder):
    return resident_model(locate(str(judge_folder(request.param))), "fp32", "cpu")


def asks(pictures, questions=QUESTIONS):
    return [Ask(image, text) for image in pictures for text in questions]


def independent(model, ask):
    """P(yes) from the logits of a plain call of the model, and the words' own tokens."""
    import torch

    inputs = model._chat.read(ask.image, [(ask.system, ask.text)])[0]
    takes = inspect.signature(type(model._model).forward).parameters
    inputs = {name: value for name, value in inputs.items() if name in takes and name != "labels"}
    with torch.inference_mode():
        logits = model._model(**inputs).logits[0, -1].double().numpy()
    share = np.exp(logits - logits.max())
    share /= share.sum()
    encode = model._chat.tokenizer.encode
    found = {}
    for word in ("yes", "no"):
        forms = {
            tuple(encode(blank + form, add_special_tokens=False))
            for blank in ("", " ")
            for form in (word, word.capitalize(), word.upper())
        }
        assert len(forms) == 6
        found[word] = sum(share[token] for (token,) in forms)
    return found["yes"] / (found["yes"] + found["no"]), found["yes"] + found["no"]


def test_the_share_of_yes_is_that_of_the_models_own_logits(asked, pictures):
    for ask in asks(pictures[:2]):
        (answer,) = asked.yes([ask], 1)
        share, mass = independent(asked, ask)
        assert answer.reason is None
        np.testing.assert_allclose([answer.yes, answer.mass], [share, mass], atol=1e-6)


def test_neither_batch_nor_order_change_an_answer(asked, pictures):
    wanted = asks(pictures)
    alone = np.array([asked.yes([ask], 1)[0].yes for ask in wanted])
    for batch in (2, 5, 16):
        found = [one.yes for one in asked.yes(wanted, batch)]
        np.testing.assert_allclose(found, alone, atol=1e-5)
    order = np.random.default_rng(1).permutation(len(wanted))
    shuffled = asked.yes([wanted[place] for place in order], 4)
    np.testing.assert_allclose([one.yes for one in shuffled], alone[order], atol=1e-5)
    assert np.ptp(alone) > 1e-3  # the tiny model tells them apart


def test_free_answers_do_not_depend_on_the_batch(asked, pictures):
    wanted = asks(pictures, QUESTIONS[:2])
    assert asked.say(wanted, 6, 4) == [asked.say([ask], 1, 4)[0] for ask in wanted]


def test_many_questions_cost_one_pass_of_the_vision_part(judge_folder, pictures):
    model = resident_model(locate(str(judge_folder("qwen3_vl"))), "fp32", "cpu")
    ran = []
    vision = model._model.model.visual
    handle = vision.register_forward_hook(lambda *_: ran.append(1))
    try:
        twelve = [Ask(pictures[0], f"Is there a number {n}?") for n in range(12)]
        answers = model.yes([*twelve, *asks(pictures[1:2])], 5)
        model.say(twelve[:2], 2, 2)  # another judge of the same images
    finally:
        handle.remove()
    assert len(answers) == 15
    assert len(ran) == 2 == model.vision_passes


def test_judges_share_one_model_and_let_it_go(judge_folder):
    weights = locate(str(judge_folder("smolvlm")))
    model = resident_model(weights, "auto", "cpu")
    assert resident_model(weights, "auto", "cpu") is model
    assert resident_model(weights, "bf16", "cpu") is not model
    gone = weakref.ref(model._model)
    del model
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(("dtype", "close"), [("fp32", 1e-6), ("bf16", 1e-3)])
def test_out_of_memory_halves_the_batch_and_changes_no_number(
    judge_folder, pictures, dtype, close, monkeypatch
):
    model = resident_model(locate(str(judge_folder("qwen2_5_vl"))), dtype, "cpu")
    whole = [one.yes for one in model.yes(asks(pictures), 8)]
    inner, sizes = model._yes_of, []

    def small(rows):
        sizes.append(len(rows))
        if len(rows) > 2:
            raise RuntimeError("CUDA out of memory")
        return inner(rows)

    monkeypatch.setattr(model, "_yes_of", small)
    halved = [one.yes for one in model.yes(asks(pictures), 8)]
    np.testing.assert_allclose(halved, whole, atol=close)
    assert sizes[:3] == [8, 4, 2]
    assert max(sizes[3:]) == 2  # for good


def test_an_image_that_the_model_cannot_take_has_a_reason(judge_folder, pictures):
    from PIL import Image

    model = resident_model(locate(str(judge_folder("qwen3_vl"))), "fp32", "cpu")
    line = Image.new("RGB", (1000, 2))
    bad, good = model.yes([Ask(line, "Yes?"), Ask(pictures[0], "Yes?")], 2)
    assert bad.reason.startswith("the model cannot take the image (absolute aspect ratio must")
    assert good.reason is None


def test_the_systems_turn_counts(asked, pictures):
    plain, told = (
        asked.yes([Ask(pictures[0], "Is it?", system)], 1)[0] for system in (None, "Be strict.")
    )
    assert plain.yes != told.yes
    assert "Be strict." in asked._chat.text("Be strict.", "Is it?")


def test_a_checkpoint_that_cannot_be_asked_is_refused_in_one_line(
    judge_folder, tiny_clip, tmp_path
):
    with pytest.raises(DataError, match="clip: a clip is no model that reads images and"):
        resident_model(locate(str(tiny_clip)), "fp32", "cpu")
    folder = shutil.copytree(judge_folder("smolvlm"), tmp_path / "base")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(DataError, match="base: it has no chat template, so where its answer"):
        resident_model(locate(str(folder)), "fp32", "cpu")


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("qwen2_5_vl", "Qwen2VLImageProcessorFast"),
        ("qwen2_5_vl", "Qwen2_5_VLImageProcessor"),  # of the first upload
        ("smolvlm", "Idefics3ImageProcessor"),
        ("paligemma", "SiglipImageProcessor"),
        ("internvl", "GotOcr2ImageProcessorFast"),
        ("llava_onevision", "LlavaOnevisionImageProcessor"),
    ],
)
def test_published_layouts_load(judge_folder, pictures, tmp_path, kind, named):
    ask = Ask(pictures[0], "Is it?")
    (plain,) = resident_model(locate(str(judge_folder(kind))), "fp32", "cpu").yes([ask], 1)
    folder = shutil.copytree(judge_folder(kind), tmp_path / kind)
    file = folder / "preprocessor_config.json"
    settings = json.loads(file.read_text())
    file.write_text(json.dumps({**settings, "image_processor_type": named}))
    template = folder / "chat_template.jinja"
    if template.exists():  # as it was kept before
        old = json.dumps({"chat_template": template.read_text()})
        (folder / "chat_template.json").write_text(old)
        template.unlink()
    if kind == "qwen2_5_vl":
        (folder / "processor_config.json").unlink()
    (found,) = resident_model(locate(str(folder)), "fp32", "cpu").yes([ask], 1)
    assert found == plain
