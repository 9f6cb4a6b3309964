"""Help texts, taken from the comments in `conf/`, so that a key is explained in one place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from flasheval.base.resources import conf_dir
from flasheval.cli.experiments import experiments

__all__ = ["VERBS", "first_comment", "keys_of", "overview", "verb_help"]

VERBS = {
    "doctor": "before a run: what it will cost, and whether all it needs is there",
    "run": "generate the images of a population of models and score them",
    "generate": "make the images only, and keep them",
    "score": "score images that are kept, or lie in folders",
    "status": "what of a run is done, what failed and why, how fast it goes",
    "search": "find the prompts that rank variants as the whole set does",
    "evaluate": "score one model on a subset, and say what that means for the full set",
    "compare": "which of two evaluated models the full set would rank higher",
    "watch": "evaluate the checkpoints in a folder as a training writes them",
    "distance": "Frechet and kernel distances of images, and prompts chosen for them",
    "validate": "compare methods, sizes and splits on variants no search has seen",
    "report": "one page of a search to look at: plots, prompts, warnings; no network",
    "subsets": "published subsets: list, show, verify, resolve, export or import them",
    "publish": "subsets as a data set to upload: card, evidence, checks",
    "import": "read other people's score layouts into a score table",
    "show": "say what scores, a subset manifest, a run or a folder of runs hold",
}

_KEY = re.compile(r"^(?P<key>\w+): (?P<value>.+?) # (?P<meaning>.+)$")

_SCORERS = {"scorers (scorers=[NAME,{name:NAME,SETTING:VALUE}])": "scorer"}
_GENERATORS = {"generators (generator: KIND, in a population)": "generator"}
_EXECUTORS = {"executors (executor=NAME)": "executor"}
_GROUPS = {
    "run": {**_GENERATORS, **_SCORERS, **_EXECUTORS},
    "generate": {**_GENERATORS, **_EXECUTORS},
    "score": {**_SCORERS, **_EXECUTORS},
    "doctor": {**_GENERATORS, **_SCORERS},
    "evaluate": {
        "generators (generator=KIND)": "generator",
        **_SCORERS,
        "trackers (tracker=NAME)": "tracker",
    },
    "watch": {**_SCORERS, "trackers (tracker=NAME)": "tracker"},
    "distance": {
        "extractors (extractor=NAME)": "extractor",
        "protocols of images (protocol=NAME)": "protocol",
    },
}

_EXAMPLES = {
    "run": (
        ("flasheval run population=mine.yaml prompts=coco.jsonl out=runs/coco", ""),
        ("flasheval run population=flasheval78 prompts=coco.jsonl limit=1000", ""),
        ("flasheval run ... scorers=[clip,pickscore]", "adds a metric, does only that"),
        ("flasheval run ... scorers=[{name:clip,checkpoint:models/clip}]", ""),
        ("flasheval run ... executor=processes", "several processes, one a GPU"),
        ("flasheval run ... executor=slurm executor.workers=8", "or ray: on a cluster"),
        ("flasheval run ... keep_images=true contact_sheet=true", "and a picture of them"),
        ("flasheval run ... compare=runs/before tolerance=0.01", "same scores as then?"),
    ),
    "generate": (
        ("flasheval generate population=mine.yaml prompts=coco.jsonl out=runs/coco", ""),
        ("flasheval score population=mine.yaml prompts=coco.jsonl out=runs/coco", "then"),
    ),
    "score": (
        ("flasheval score population=mine.yaml prompts=coco.jsonl out=runs/coco", ""),
        ("flasheval score ... scorers=[clip,{name:function,function:my.py:sharpness}]", ""),
    ),
    "doctor": (
        ("flasheval doctor population=mine.yaml prompts=coco.jsonl", ""),
        ("flasheval doctor population=mine.yaml prompts=coco.jsonl sample=false", ""),
    ),
    "status": (
        ("flasheval status runs/coco", ""),
        ("flasheval status runs/coco check=true", "reads every file"),
    ),
    "search": (
        ("flasheval search", "a made-up population, to see how it works"),
        ("flasheval search scores=coco metric=CLIP size=50", ""),
        ("flasheval search scores=coco metric=[CLIP,HPS] method=shared", "for both"),
        ("flasheval search scores=clip.csv splits=group:base_model", "hold models out"),
        ("flasheval search method=frequency method.n_sets=300000", "a method's own setting"),
        ("flasheval search -m size=10,50,100 method=frequency,balanced", "a sweep"),
        ("flasheval search -m seed=0,1,2,3 hydra/launcher=joblib", "on several cores"),
        ("flasheval search nested=[10,20,50] require=must-have.txt", ""),
    ),
    "evaluate": (
        ("flasheval evaluate subset=my-subset.json checkpoint=out/step-2000", ""),
        ("flasheval evaluate ... prompts=coco.jsonl", "a manifest without texts"),
        ("flasheval evaluate ... scheduler=DPM steps=10 lora=out/lora.safetensors", ""),
        ("flasheval evaluate ... scorers=[clip,pickscore] out=reports/2000.json", ""),
        ("flasheval evaluate ... generator=function function=mine.py:draw", ""),
        ("flasheval evaluate ... images=out/images step=2000 tracker=wandb", ""),
    ),
    "compare": (
        ("flasheval compare reports/2000.json reports/1000.json", ""),
        ("flasheval compare reports/2000.json reports/*.json metric=CLIP", "each"),
        ("flasheval compare a.json b.json looks=[10,20,50]", "as few prompts as it takes"),
    ),
    "watch": (
        ("flasheval watch out/training subset=my-subset.json", ""),
        ("flasheval watch ... scheduler=DPM steps=20 guidance=5 dtype=fp16", ""),
        ("flasheval watch ... base=models/sd15 pattern=checkpoint-*", "LoRAs, parts"),
        ("flasheval watch ... loader=mine.py:load pattern=*.ckpt", "anything else"),
        ("flasheval watch ... once=true", "all there is, and end: for cron"),
        ("flasheval watch ... tracker=wandb", ""),
    ),
    "distance": (
        ("flasheval distance run=runs/coco reference=sd15/DDIM50", "a variant of it"),
        ("flasheval distance run=runs/coco reference=coco-clip.npz size=[50,100]", ""),
        ("flasheval distance run=runs/coco reference=val2014 extractor=scorer", "photos"),
        ("flasheval distance images={a:out/a,b:out/b} reference=val2014", "by DINOv2"),
        ("flasheval distance images=out reference=val2014 protocol=coco-30k", ""),
        ("flasheval distance ... extractor=inception extractor.path=FILE.pth", "FID"),
        ("flasheval distance ... protocol=coco-30k protocol.images=5000", ""),
    ),
    "validate": (
        ("flasheval validate", "a made-up population, to see how it works"),
        ("flasheval validate scores=coco methods=[frequency,balanced] size=[10,50]", ""),
        ("flasheval validate scores=coco splits=[random:10,group:base_model]", ""),
        ("flasheval validate methods=[balanced,{name:frequency,n_sets:300000}]", ""),
        ("flasheval validate search_variants=[8,12,16,24]", "how many variants do I need?"),
        ("flasheval validate cluster=base_model", "intervals over whole families too"),
    ),
    "report": (
        ("flasheval report flasheval-runs/search/NAME", "writes report.html into it"),
        ("flasheval report coco-clip-50 scores=coco out=report", "of a published subset"),
        ("flasheval report NAME scores=runs/coco images=runs/coco", "kept images too"),
    ),
    "subsets": (
        ("flasheval subsets list", "those that come with the package"),
        ("flasheval subsets show coco-shared-50", ""),
        ("flasheval subsets verify", "all of them; or: verify NAME, or a file"),
        ("flasheval subsets resolve coco-shared-50 prompts=captions_val2014.json", ""),
        ("flasheval subsets export coco-shared-50 format=kohya out=prompts.txt", ""),
        ("flasheval subsets import released.json prompts=coco.jsonl out=theirs.json", ""),
    ),
    "publish": (
        ("flasheval publish coco-clip-10 coco-clip-50 out=upload", "look at it first"),
        ("flasheval publish my-subset.json out=upload repo=me/my-subset push=true", ""),
        ("flasheval publish my-subset.json artifact=my-subset project=eval", "wandb"),
    ),
    "import": (
        ("flasheval import flasheval-official root=Image_score/COCO out=coco", ""),
        ("flasheval import long source=scores.csv out=scores prompts=prompts.jsonl", ""),
        ("flasheval import wide source=fid.csv higher_is_better=false", ""),
    ),
    "show": (
        ("flasheval show coco", "a score table"),
        ("flasheval show my-subset.json", "a manifest"),
        ("flasheval show flasheval-runs/search", "all runs, one row each"),
    ),
}


def overview() -> str:
    """Return the text of `flasheval --help`."""
    verbs = "\n".join(f"  {verb:<8} {what}" for verb, what in VERBS.items())
    return (
        "Find the few prompts that rank text-to-image models as the whole benchmark would.\n\n"
        f"usage: flasheval VERB [key=value ...]\n\n{verbs}\n\n"
        "  flasheval VERB --help   the keys of a verb, with examples\n"
        "  flasheval --version\n\n"
        "Begin with: flasheval search"
    )


def verb_help(verb: str, words: Sequence[str] = ()) -> str:
    """Return the text of `flasheval VERB --help`.

    Args:
        verb: One of `VERBS`.
        words: The other words of the command line: `method=NAME`, or an importer's name, adds
            the settings of that one.

    """
    conf = conf_dir()
    usage = {
        "import": "IMPORTER key=value ...",
        "show": "PATH",
        "status": "FOLDER",
        "watch": "FOLDER subset=MANIFEST [key=value ...]",
        "compare": "REPORT REPORT ... [key=value ...]",
        "report": "FOLDER [key=value ...]",
        "subsets": "ACTION [NAME ...] [key=value ...]",
        "publish": "NAME ... [key=value ...]",
    }
    parts = [
        f"{VERBS[verb][0].upper()}{VERBS[verb][1:]}.",
        f"usage: flasheval {verb} {usage.get(verb, '[key=value ...]')}",
    ]
    parts.append(_keys_block("keys", conf / f"{verb}.yaml"))
    if verb == "search":
        parts.append(_choices("methods (method=NAME)", conf / "method"))
        parts += [
            _keys_block(f"settings of {name} (method.KEY=VALUE)", conf / "method" / f"{name}.yaml")
            for name in _chosen(words, conf / "method")
        ]
    if verb == "validate":
        title = "methods (methods=[NAME,{name:NAME,SETTING:VALUE}])"
        parts.append(_choices(title, conf / "method"))
    if verb in ("run", "generate", "score", "doctor"):
        parts.append(_choices("populations (population=NAME or FILE.yaml)", conf / "population"))
    for title, group in _GROUPS.get(verb, {}).items():
        parts.append(_choices(title, conf / group))
        shown = _chosen(words, conf / group)
        if verb == "evaluate" and group == "generator":
            shown = shown or ["diffusers"]
        parts += [
            _keys_block(f"settings of {name}", conf / group / f"{name}.yaml") for name in shown
        ]
    if verb == "subsets":
        parts.append(_listed("formats of export (settings.KEY=VALUE)", _formats()))
    if verb == "watch":
        title = "settings of the pipelines (not checkpoint, revision, lora: those are watched for)"
        parts.append(_keys_block(title, conf / "generator" / "diffusers.yaml"))
    if named := experiments(verb):
        parts.append(_listed("experiments (experiment=NAME)", named))
    if verb == "import":
        parts.append(_choices("importers", conf / "importer"))
        parts += [
            _keys_block(f"keys of {name}", conf / "importer" / f"{name}.yaml")
            for name in _chosen(words, conf / "importer")
            or [path.stem for path in sorted((conf / "importer").glob("*.yaml"))]
        ]
    parts.append(_examples(verb))
    tail = (
        "method=NAME --help adds that method's settings.\n"
        "-m runs every combination of comma-separated values.\n"
    )
    parts.append(
        tail
        * (verb == "search")
        + "Settings are Hydra's: --cfg job prints them, --config-dir adds a folder of yours,\n"
        "--hydra-help says more."
    )
    return "\n\n".join(part for part in parts if part)


def keys_of(path: Path) -> dict[str, tuple[str, str]]:
    """Return each top-level key of a settings file with its default and its meaning."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = (_KEY.match(line) for line in lines)
    return {m["key"]: (m["value"].strip(), m["meaning"]) for m in found if m is not None}


def first_comment(path: Path) -> str:
    """Return the first comment of a settings file that is no directive."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# ") and not line.startswith("# @"):
            return line[2:]
    return ""


def _formats() -> dict[str, str]:
    """Return each format's settings in words, by its name."""
    from dataclasses import fields

    from flasheval.subset.exports.registry import FORMATS

    keys = {name: [key.name for key in fields(one)] for name, one in FORMATS.items()}
    return {name: ", ".join(own) if own else "no settings" for name, own in keys.items()}


def _chosen(words: Sequence[str], folder: Path) -> list[str]:
    names = [path.stem for path in sorted(folder.glob("*.yaml"))]
    given = {word.removeprefix(f"{folder.name}=") for word in words}
    return [name for name in names if name in given]


def _keys_block(title: str, path: Path) -> str:
    keys = keys_of(path)
    if not keys:
        return ""
    left = [f"{key}={value}" for key, (value, _) in keys.items()]
    width = min(max(map(len, left)), 26)
    lines = [
        line
        for shown, (_, meaning) in zip(left, keys.values(), strict=True)
        for line in _wrapped(shown, meaning, width)
    ]
    return "\n".join([f"{title}:", *lines])


def _choices(title: str, folder: Path) -> str:
    return _listed(
        title, {path.stem: first_comment(path) for path in sorted(folder.glob("*.yaml"))}
    )


def _listed(title: str, choices: Mapping[str, str]) -> str:
    width = max(map(len, choices))
    lines = [line for name, what in choices.items() for line in _wrapped(name, what, width)]
    return "\n".join([f"{title}:", *lines])


def _wrapped(left: str, right: str, width: int) -> list[str]:
    from textwrap import wrap

    lines = wrap(right, 80 - width - 4, break_on_hyphens=False) or [""]
    head = [f"  {left:<{width}}  {lines[0]}"] if len(left) <= width else [f"  {left}"]
    rest = lines[1:] if len(left) <= width else lines
    return [line.rstrip() for line in (*head, *(f"{'':<{width + 4}}{line}" for line in rest))]


def _examples(verb: str) -> str:
    lines = [f"  {command}{f'  # {note}' if note else ''}" for command, note in _EXAMPLES[verb]]
    return "\n".join(["examples:", *lines])
