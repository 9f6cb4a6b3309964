"""Which text-to-image pipelines of diffusers flasheval runs, and which settings do nothing in them.

Every class that can be is made tiny (`tiny_pipelines/`: the real classes, random weights, no
download), saved, run by `flasheval.run` in up to eight variants and handed to `flasheval.evaluate`
as a loaded pipeline. The variants differ in guidance, negative prompt, `true_cfg_scale` and `eta`,
where the class takes them; those with the same images to the byte are listed, and whether the
classes and configurations alone had told the setting. The other classes of diffusers' list of
text-to-image pipelines follow with the reason why they are not run.

    python scripts/evidence/pipeline_classes.py --out docs/evidence/pipelines.md
"""

from __future__ import annotations

import argparse
import inspect
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests"), str(Path(__file__).parent)]

import flasheval  # noqa: E402
from flasheval.base.errors import FlashevalError  # noqa: E402
from flasheval.generators.diffusers_settings import DiffusersSettings  # noqa: E402
from flasheval.generators.library_logs import quiet_libraries  # noqa: E402
from flasheval.prompts import PromptSet  # noqa: E402
from flasheval.subset import Method, Subset  # noqa: E402

PROMPTS = PromptSet("two", ("1", "2"), ("a red cat on a table", "three birds in a green tree"))
SIZE = 32
# What a class needs so that a tiny image is made at all.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "FluxKontextPipeline": {"max_area": SIZE * SIZE, "_auto_resize": False},
}
NO_SIZE = ("HiDreamImagePipeline",)
# Not shown among a class's arguments: nearly all have them.
COMMON = (
    *("prompt", "num_inference_steps", "generator", "output_type", "return_dict", "latents"),
    *("num_images_per_prompt", "width", "height", "callback_on_step_end", "callback"),
    *("callback_steps", "callback_on_step_end_tensor_inputs", "kwargs", "prompt_embeds"),
    *("cross_attention_kwargs", "joint_attention_kwargs", "attention_kwargs"),
)
VISION = "its text encoder comes with a processor that needs torchvision"
NOT_YET = "not made tiny yet"
REASONS: Mapping[str, str] = {
    "Flux2Pipeline": "its text encoder (Mistral 3) comes with a processor of the Hub",
    "GlmImagePipeline": VISION,
    "HeliosPipeline": "makes videos",
    "HeliosPyramidPipeline": "makes videos",
    "Ideogram4Pipeline": NOT_YET,
    "KandinskyCombinedPipeline": "its text encoder (MultilingualCLIP) cannot be saved and loaded",
    "Krea2Pipeline": NOT_YET,
    "NucleusMoEImagePipeline": VISION,
    "PRXPipeline": "its text encoder cannot be loaded from what transformers saves of it",
    "QwenImage21Pipeline": VISION,
    "StableCascadeCombinedPipeline": "its decoder (PaellaVQModel) cannot be loaded from its save",
    "StableDiffusionGLIGENPipeline": "wants phrases and boxes beside the prompt",
    "StableDiffusionLDM3DPipeline": "returns images and depth maps, under names of its own",
    "WuerstchenCombinedPipeline": "its decoder (PaellaVQModel) cannot be loaded from its save",
    "ZImageOmniPipeline": NOT_YET,
}


@dataclass(frozen=True)
class Row:
    """What was found out about one class."""

    name: str
    ran: str
    evaluated: str
    same: str
    told: str


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", help="these classes only")
    parser.add_argument("--out", type=Path, help="the page to write; printed without it")
    arguments = parser.parse_args(argv)
    import torch

    torch.set_num_threads(1)
    with quiet_libraries():
        makers = _makers()
        chosen = [name for name in makers if not arguments.only or name in arguments.only]
        with tempfile.TemporaryDirectory() as folder:
            rows = [_row(name, makers[name], Path(folder, name)) for name in chosen]
        page = _page(rows)
    if arguments.out is None:
        print(page)
    else:
        arguments.out.write_text(page, "utf-8")
    return 0


def _makers() -> dict[str, Any]:
    from tiny_pipelines.transformer import TRANSFORMERS
    from tiny_pipelines.unet import UNETS

    return dict(sorted({**UNETS, **TRANSFORMERS}.items()))


def _parameters(name: str) -> Mapping[str, inspect.Parameter]:
    import diffusers

    found = dict(inspect.signature(getattr(diffusers, name).__call__).parameters)
    found.pop("self")
    return found


def _brightness(images: Sequence[Any], prompts: Sequence[str]) -> list[float]:
    return [sum(image.convert("L").getdata()) / (image.width * image.height) for image in images]


def _settings(name: str) -> dict[str, Any]:
    """Return the settings all variants of a class share."""
    takes = _parameters(name)
    sized = name not in NO_SIZE
    options = dict(OPTIONS.get(name, {}))
    if "use_resolution_binning" in takes:
        options["use_resolution_binning"] = False
    settings: dict[str, Any] = {"options": options}
    for setting, argument, value in (
        ("steps", "num_inference_steps", 2),
        ("guidance", "guidance_scale", 3.0),
        ("width", "width", SIZE if sized else None),
        ("height", "height", SIZE if sized else None),
    ):
        if argument in takes and value is not None:
            settings[setting] = value
    return settings


def _variants(name: str) -> dict[str, dict[str, Any]]:
    """Return the settings of each variant of a class, by the variant's name."""
    takes, base = _parameters(name), _settings(name)

    def with_options(**more: Any) -> dict[str, Any]:
        return {**base, "options": {**base["options"], **more}}

    found = {"base": base}
    negative = {"negative_prompt": "blurry"} if "negative_prompt" in takes else None
    if negative:
        found["negative"] = {**base, **negative}
    if "guidance_scale" in takes:
        found["guidance=5"] = {**base, "guidance": 5.0}
    if "guidance_scale" in takes and negative:
        found["guidance=1"] = {**base, "guidance": 1.0}
        found["guidance=1 negative"] = {**base, "guidance": 1.0, **negative}
    if "true_cfg_scale" in takes and negative:
        found["true_cfg=4"] = with_options(true_cfg_scale=4.0)
        found["true_cfg=4 negative"] = {**with_options(true_cfg_scale=4.0), **negative}
    if "eta" in takes:
        found["eta=1"] = with_options(eta=1.0)
    return found


def _row(name: str, make: Any, folder: Path) -> Row:
    print(name, file=sys.stderr, flush=True)
    make().save_pretrained(folder, safe_serialization=True)
    variants = _variants(name)
    population = {
        "settings": {"checkpoint": str(folder)},
        "variants": [{"name": one, **settings} for one, settings in variants.items()],
    }
    try:
        result = flasheval.run(
            population,
            PROMPTS,
            [_brightness],
            out=folder.with_name(f"{name}-run"),
            device="cpu",
            progress=False,
        )
        failed = [f"{one.variant} ({one.reason.rstrip(': ')[:90]})" for one in result.failures]
        ran = f"all but {', '.join(dict.fromkeys(failed))}" if failed else "yes"
        same = [line for line in result.warnings if "made the same images" in line]
    except FlashevalError as error:
        ran, same = str(error), []
    told = {
        setting
        for settings in variants.values()
        for setting in DiffusersSettings(str(folder), **settings).without_effect()
    }
    groups = "; ".join(
        line.partition(" made the same")[0].replace(" and ", " = ").replace(", ", " = ")
        for line in same
    )
    return Row(name, ran, _evaluated(name, folder), groups, ", ".join(sorted(told)))


def _evaluated(name: str, folder: Path) -> str:
    """Return whether a loaded pipeline can be handed to `flasheval.evaluate`."""
    import diffusers

    pipeline = diffusers.DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    settings = _settings(name)
    names = {"steps": "num_inference_steps", "guidance": "guidance_scale"}
    call = {names.get(key, key): value for key, value in settings.items() if key != "options"}
    subset = Subset.choose(
        PROMPTS, range(len(PROMPTS)), name="two", metrics=(), method=Method("all"), with_texts=True
    )
    try:
        report = flasheval.evaluate(
            pipeline, subset, [_brightness], call={**call, **settings["options"]}, device="cpu"
        )
    except Exception as error:  # whatever a pipeline does
        return " ".join(str(error).split())[:100]
    return "yes" if not report.faults else next(iter(report.faults.values()))


def _page(rows: Sequence[Row]) -> str:
    import diffusers
    import transformers

    lines = [
        "# Pipelines of diffusers",
        "",
        "Made by `python scripts/evidence/pipeline_classes.py` with diffusers "
        f"{diffusers.__version__} and",
        f"transformers {transformers.__version__}, on a CPU, without torchvision. Each class is "
        "made tiny with random weights, run in",
        "up to eight variants and evaluated as a loaded pipeline; what they draw means nothing.",
        "",
        "*First*: the first argument of the call. *Guidance*: its arguments and defaults. *Same "
        "images*: variants that",
        "differ in name only, to the byte (base is guidance 3 with 2 steps). *Told*: settings of "
        "these variants that",
        "`doctor` names before an image is made; the others `doctor` and `run` name when they have "
        "seen the images.",
        "",
        f"{sum(row.ran == 'yes' for row in rows)} of {len(rows)} classes ran with every variant, "
        f"{sum(row.evaluated == 'yes' for row in rows)} were evaluated.",
        "",
        "| class | first | negative prompt | guidance | run | evaluate | same images | told |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        takes = _parameters(row.name)
        guidance = [key for key in takes if key in ("guidance_scale", "true_cfg_scale")]
        cells = (
            row.name,
            next(iter(takes)),
            "yes" if "negative_prompt" in takes else "no",
            ", ".join(f"{key} {takes[key].default}" for key in guidance) or "no",
            row.ran,
            row.evaluated,
            row.same or "-",
            row.told or "-",
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "## Not run", "", "| class | reason |", "| --- | --- |"]
    ran = set(_makers())
    for name in sorted({*_listed(), *REASONS} - ran):
        lines.append(f"| {name} | {_reason(name)} |")
    lines += ["", "## Arguments of the call", "", "Beside those that nearly all take.", ""]
    for row in rows:
        own = [key for key in _parameters(row.name) if key not in COMMON]
        lines.append(f"- {row.name}: {', '.join(f'`{key}`' for key in own)}")
    return "\n".join(lines) + "\n"


def _listed() -> set[str]:
    """Return the classes that diffusers lists as text-to-image pipelines."""
    from diffusers.pipelines.auto_pipeline import AUTO_TEXT2IMAGE_PIPELINES_MAPPING

    return {kind.__name__ for kind in AUTO_TEXT2IMAGE_PIPELINES_MAPPING.values()}


def _reason(name: str) -> str:
    if "Control" in name:
        return "wants a control image beside the prompt"
    return REASONS.get(name, NOT_YET)


if __name__ == "__main__":
    sys.exit(main())
