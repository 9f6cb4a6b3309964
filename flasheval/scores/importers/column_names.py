"""What the names of columns say: variants, prompts, metrics, repeats, summaries, labels."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from flasheval.base.text import plain_name

__all__ = [
    "GENERIC_SCORES",
    "Look",
    "Role",
    "is_metric",
    "is_nothing",
    "is_repeat",
    "is_summary",
    "look_of",
    "repeats_in_columns",
    "role_of",
]

Role = Literal["variant", "prompt", "text", "metric", "score"]
Look = Literal["prompts", "variants", "metrics"]

_ROLES: dict[Role, tuple[str, ...]] = {
    "variant": (
        *("variant", "model", "model_name", "variant_name", "model_id", "variant_id", "models"),
        *("variants", "modelname", "t2i_model", "generator", "gen_model", "checkpoint", "ckpt"),
        *("checkpoint_name", "system", "system_name", "model_version", "image_model"),
    ),
    "prompt": (
        *("prompt_id", "promptid", "prompt_idx", "prompt_index", "prompt_no", "prompt_number"),
        *("prompt_name", "prompt_key", "pid", "id", "item_id", "instance_id", "text_id"),
        *("textid", "caption_id", "sample_id", "question_id", "video_id", "doc_id", "data_id"),
        *("uid", "uuid", "image_id", "item", "idx", "index", "key"),
    ),
    "text": (
        *("text", "caption", "prompt", "prompt_text", "prompts", "texts", "captions"),
        *("prompt_en", "input", "input_text", "description"),
    ),
    "metric": (
        *("metric", "metric_name", "metrics", "measure", "scorer", "score_name", "score_type"),
        *("criterion", "aspect", "metric_id"),
    ),
    "score": ("score", "value", "scores", "values"),
}
"""Names in `plain_name` form, those that say it best first."""

GENERIC_SCORES = _ROLES["score"]
"""Columns of scores that do not say of which metric."""

_REPEATS = (
    *("seed", "image_seed", "seed_id", "noise_seed", "image", "img", "image_index", "image_idx"),
    *("image_no", "image_number", "img_id", "img_idx", "img_index", "image_name", "sample"),
    *("sample_idx", "sample_index", "sample_no", "repeat", "repetition", "trial", "rep"),
    *("replicate", "replica", "draw", "generation", "image_id", "image_path", "img_path"),
    *("filename", "file_name", "file", "path", "attempt", "take", "video_path", "run_seed"),
)
_PEOPLE = ("rater", "judge", "annotator", "evaluator", "reviewer", "worker", "labeler", "user")
_PEOPLE_MORE = ("labeller", "participant", "grader", "assessor", "expert", "coder", "human")
_RATERS = (*_PEOPLE, *_PEOPLE_MORE)
_RATER_NAME = re.compile(rf"({'|'.join(_RATERS)})(_(id|name|no|index|model))?")
_SUMMARIES = (
    *("mean", "average", "avg", "total", "overall", "sum", "median", "std", "stdev", "std_dev"),
    *("sd", "var", "variance", "min", "max", "minimum", "maximum", "sem", "stderr", "ci", "all"),
    *("mean_score", "average_score", "avg_score", "overall_score", "total_score", "macro_avg"),
    *("micro_avg", "grand_total", "mittelwert", "durchschnitt", "moyenne", "gesamt", "summe"),
    *("row_mean", "model_mean", "mean_std", "overall_mean", "overall_average", "average_all"),
    *("std_deviation", "standard_deviation", "ave", "agg", "aggregate", "summary", "subtotal"),
)
_STARTS = frozenset(name[:2] for name in _SUMMARIES)
_NOTHING = (
    *("n", "count", "counts", "n_images", "num_images", "n_samples", "num_samples", "rank", "row"),
    *("width", "height", "length", "prompt_length", "n_words", "num_words", "word_count"),
    *("n_tokens", "num_tokens", "token_count", "tokens", "words", "characters", "n_chars"),
    *("timestamp", "time", "date", "seconds", "runtime", "latency", "duration", "split", "fold"),
    *("nr", "no", "number", "num", "row_id", "row_number", "line", "order", "position", "n_raters"),
    *("votes", "n_votes", "weight", "weights", "year", "batch", "batch_id", "cost", "size"),
)
_METRICS = (
    *("clip", "clipscore", "clips", "clip_i", "clip_t", "x_clip", "hps", "hpsv2", "hpsv3"),
    *("pick", "pickscore", "imagereward", "image_reward", "aesthetic", "aesthetics", "laion"),
    *("vqa", "vqascore", "tifa", "blip", "blip2", "blip_vqa", "blip_bleu", "fid", "kid", "lpips"),
    *("ssim", "psnr", "reward", "quality", "alignment", "realism", "consistency", "composition"),
    *("faithfulness", "fidelity", "preference", "correct", "accuracy", "acc", "rating", "ratings"),
    *("relevance", "beauty", "coherence", "naturalness", "gpt4v", "dsg", "viescore", "geneval"),
    *("unifiedreward", "mps", "dino", "siglip", "overall", "perception", "correspondence"),
    *("aesthetic_quality", "imaging_quality", "text_alignment", "image_quality", "human"),
    *("deqa", "qalign", "musiq", "niqe", "brisque", "maniqa", "cmmd", "is", "safety", "toxicity"),
    *("originality", "creativity", "reasoning", "diversity", "sc", "pq", "o", "style", "color"),
    *("shape", "texture", "spatial", "counting", "attribute", "win_rate", "elo", "spelling", "ocr"),
)
_VERSION = re.compile(r"(_?v?\d+(_\d+)*|_(l|b|h|g|large|base)(_?\d+)*(_\d+)?|_(vit|xl).*)$")
_ID = re.compile(
    r"(p|q|t|c|id|item|prompt|text|caption|sample|image|img|question|x)?[_\- #]?\d+"
    r"|[0-9a-f]{12,}|[0-9a-f]{8}-[0-9a-f-]{10,}",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"model|variant|stable|diffusion|(^|\W|_)sd(xl|\d|$|\W|_)|sdxl|flux|pixart|dall|midjourney"
    r"|imagen|kandinsky|deepfloyd|playground|checkpoint|ckpt|step|epoch|lora|base|turbo|lightning"
    r"|ddim|pndm|dpm|euler|cfg|guidance|fp16|int8|muse|amused|sana|hunyuan|cogview|qwen|gpt|gemini",
    re.IGNORECASE,
)


def role_of(role: Role, names: Iterable[str]) -> list[str]:
    """Return the columns that by their name have a role, the likeliest first.

    >>> role_of("prompt", ["image_id", "Prompt_ID", "score"])
    ['Prompt_ID', 'image_id']
    """
    known = _ROLES[role]
    found = [name for name in names if plain_name(name) in known]
    return sorted(found, key=lambda name: known.index(plain_name(name)))


def is_repeat(name: str) -> bool:
    """Tell whether a column tells apart several values of one variant and prompt.

    >>> is_repeat("Seed"), is_repeat("rater_id"), is_repeat("CLIP")
    (True, True, False)
    """
    plain = plain_name(name)
    return plain in _REPEATS or _RATER_NAME.fullmatch(plain) is not None


def repeats_in_columns(names: Sequence[str]) -> list[str]:
    """Return the columns that each hold the scores of one rater, seed or image of several.

    >>> repeats_in_columns(["rater1", "rater_2", "CLIP"]), repeats_in_columns(["seed"])
    (['rater1', 'rater_2'], [])
    """
    whose = "|".join((*_RATERS, "seed", "image", "img", "sample", "repeat", "trial", "score"))
    pattern = re.compile(rf"({whose})s?(_score|_rating)?_?(\d+|[a-h])(_score|_rating)?")
    found = [name for name in names if pattern.fullmatch(plain_name(name))]
    stems = {re.sub(r"_?(\d+|[a-h])(_score|_rating)?$", "", plain_name(name)) for name in found}
    return found if len(found) > 1 and len(stems) == 1 else []


def is_summary(name: str) -> bool:
    """Tell whether a label is that of an average or another summary.

    >>> is_summary("Average"), is_summary("mean of all"), is_summary("meadow")
    (True, False, False)
    """
    if name.lstrip(" \t*_([-")[:2].lower() not in _STARTS:  # most of a million prompts
        return False
    return plain_name(name) in _SUMMARIES


def is_nothing(name: str) -> bool:
    """Tell whether a column is known to be no score: a seed, a count, a length, a date.

    >>> is_nothing("n_images"), is_nothing("seed"), is_nothing("sd15")
    (True, True, False)
    """
    return plain_name(name) in _NOTHING or is_repeat(name)


def is_metric(name: str) -> bool:
    """Tell whether a name is that of a metric, with a version or the word score beside it.

    >>> is_metric("CLIP Score"), is_metric("hps_v2.1"), is_metric("sd15"), is_metric("my_score")
    (True, True, False, True)
    """
    plain = plain_name(name)
    if plain in GENERIC_SCORES or re.search(r"(^|_)(scores?|ratings?|rewards?)(_|$)", plain):
        return True
    if plain.endswith("score") or plain in _METRICS:
        return True
    return _VERSION.sub("", plain) in _METRICS


def look_of(labels: Sequence[str]) -> Look | None:
    """Return what most of some labels look like, None where they look like nothing known.

    >>> look_of(["p00", "p01"]), look_of(["a cat on a mat"]), look_of(["sd15", "sdxl"])
    ('prompts', 'prompts', 'variants')
    """
    labels = [label for label in labels if not is_summary(label)]
    if not labels:
        return None
    half = len(labels) / 2
    if len(labels) > 1 and sum(is_metric(label) for label in labels) > 0.8 * len(labels):
        return "metrics"
    if sum(_ID.fullmatch(label.strip()) is not None for label in labels) > half:
        return "prompts"
    if sum(len(label.split()) >= 3 for label in labels) > half:
        return "prompts"
    return "variants" if sum(_MODEL.search(label) is not None for label in labels) > half else None
