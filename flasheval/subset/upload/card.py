"""The card (README.md) of a published folder: subsets, evidence, use and licences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flasheval.base.drawing.markdown import inline, markdown_table
from flasheval.base.files import write_text
from flasheval.subset.evidence import Evidence, Spread
from flasheval.subset.evidence_table import fewer
from flasheval.subset.prompt_sources import seeds_note, source_of
from flasheval.subset.subset import Subset
from flasheval.subset.upload.licences import card_licences, licence_notes

__all__ = ["card", "default_title", "metadata", "write_card"]

_SIZES = (("n<1K", 1_000), ("1K<n<10K", 10_000), ("10K<n<100K", 100_000), ("100K<n<1M", 1_000_000))
_MORE = "1M<n<10M"
_OF_PROCEDURE = (
    "**Evidence of the procedure, not of these exact sets.** On every split the whole search was "
    "repeated without the held-out variants; the sets published here were then chosen with all "
    "variants, so no unseen one was left to measure them on."
)


def write_card(
    subsets: Sequence[Subset],
    path: Path,
    *,
    title: str | None = None,
    repo: str | None = None,
    license: str | None = None,
) -> None:
    """Write :func:`card` to a file."""
    write_text(path, card(subsets, title=title, repo=repo, license=license))


def default_title(subsets: Sequence[Subset]) -> str:
    """Return the default title of a card: the name of a single subset, or the prompt sets.

    >>> from flasheval.subset.subset import Method, SubsetPrompt
    >>> one = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
    >>> default_title([one]), default_title([one, one])
    ('one', 'pets: 2 prompt subsets')
    """
    if len(subsets) == 1:
        return subsets[0].name
    whose = " and ".join(dict.fromkeys(subset.prompt_set_name for subset in subsets))
    return f"{whose}: {len(subsets)} prompt subsets"


def metadata(
    subsets: Sequence[Subset], *, title: str | None = None, license: str | None = None
) -> dict[str, object]:
    """Return the card's metadata for the Hub and `datasets`, with one configuration a subset.

    >>> from flasheval.subset.subset import Method, SubsetPrompt
    >>> one = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
    >>> about = metadata([one], license="cc-by-4.0")
    >>> about["license"], about["size_categories"], about["configs"][0]["config_name"]
    ('cc-by-4.0', ['n<1K'], 'one')
    """
    licences = card_licences(subsets, license)
    sources = [source_of(subset) for subset in subsets]
    languages = list(dict.fromkeys(one.language for one in sources if one is not None))
    rows = sum(subset.size for subset in subsets)
    configs: list[dict[str, object]] = [
        {"config_name": subset.name, "data_files": f"data/{subset.name}.parquet"}
        for subset in subsets
    ]
    configs[0]["default"] = True
    return {
        "pretty_name": title or default_title(subsets),
        "license": licences[0] if len(licences) == 1 else licences,
        **({"language": languages} if languages and None not in sources else {}),
        "task_categories": ["text-to-image"],
        "size_categories": [next((n for n, limit in _SIZES if rows < limit), _MORE)],
        "tags": ["flasheval", "evaluation", "benchmark", "prompts", "text-to-image"],
        "configs": configs,
    }


def card(
    subsets: Sequence[Subset],
    *,
    title: str | None = None,
    repo: str | None = None,
    license: str | None = None,
) -> str:
    """Return the whole card: YAML metadata, then Markdown."""
    import yaml

    about = metadata(subsets, title=title, license=license)
    front = yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=1000)
    parts = [
        f"---\n{front}---",
        f"# {inline(str(about['pretty_name']))}",
        "Few prompts meant to rank text-to-image models as a whole benchmark would. Each subset is "
        "a configuration of this data set, and has a manifest, whose hashes guard it, for "
        "`flasheval`. How well they do is measured below.",
        _subsets(subsets),
        _evidence(subsets),
        *dict.fromkeys(map(seeds_note, subsets)),
        _remarks(subsets),
        _use(subsets, repo),
        _columns(subsets),
        "## Licences",
        *licence_notes(subsets, license),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _subsets(subsets: Sequence[Subset]) -> str:
    titles = ("configuration", "prompts", "of", "metrics", "chosen by", "variants seen", "content")
    rows = [
        (
            inline(subset.name),
            _count(subset),
            inline(subset.prompt_set_name),
            inline(", ".join(map(str, subset.metrics))),
            inline(subset.method.name),
            str(len(subset.searched_variants)),
            f"`{subset.content_hash[:12]}`",
        )
        for subset in subsets
    ]
    return "\n".join(["## Subsets", "", *markdown_table(titles, rows)])


def _count(subset: Subset) -> str:
    draws = sum(prompt.multiplicity for prompt in subset.prompts)
    return f"{subset.size}" + (f" ({draws} with repeats)" if draws > subset.size else "")


def _evidence(subsets: Sequence[Subset]) -> str:
    every = [evidence for subset in subsets for evidence in subset.record.all_evidence]
    if not every:
        return "## Evidence\n\nNone: nothing was held out, so nothing is claimed."
    titles = ("subset", "splits", "held-out tau", "random", "as good as random", "fewer")
    rows = []
    for subset in subsets:
        name, found = inline(subset.name), subset.record.all_evidence
        rows += [(name, *_cells(evidence)) for evidence in found]
        if not found:
            rows.append((name, "none: nothing was held out", *["-"] * 4))
    parts = [
        "## Evidence",
        "Kendall tau-b with the ranking by the full prompt set, on variants that the search never "
        "saw; the mean over metrics where a subset serves several (each of them: `evidence.csv`). "
        "*random* is a random subset of the same size on the same variants; *as good as random* "
        "says how many random prompts agree as well (90% interval over splits). Brackets: 5% to "
        "95% over splits, or least to greatest where marked min-max.",
        "\n".join(markdown_table(titles, rows)),
    ]
    if any(evidence.applies_to == "procedure" for evidence in every):
        parts.append(_OF_PROCEDURE)
    return "\n\n".join(parts)


def _cells(evidence: Evidence) -> tuple[str, ...]:
    pooled = evidence.pooled
    equivalent = pooled.equivalent_random_size
    count = len(evidence.splits)
    return (
        f"{inline(evidence.split_spec)} ({count} split{'' if count == 1 else 's'})",
        f"**{pooled.held_out_tau.mean:.3f}** {_brackets(pooled.held_out_tau)}".rstrip(),
        f"{pooled.random_tau.mean:.3f}",
        "-" if equivalent is None else inline(str(equivalent)),
        "-" if equivalent is None else inline(fewer(equivalent.estimate, evidence.size)),
    )


def _brackets(spread: Spread) -> str:
    if spread.low == spread.high:  # one split
        return ""
    kind = ", min-max" if spread.kind == "min-max" else ""
    return f"({spread.low:.2f} to {spread.high:.2f}{kind})"


def _remarks(subsets: Sequence[Subset]) -> str:
    """Return warnings and notes, each once, with the subsets it is about."""
    said: dict[str, list[str]] = {}
    for subset in subsets:
        record = subset.record
        lines = [f"**warning:** {inline(text)}" for text in record.warnings]
        if record.interrupted:
            lines.append("**warning:** the search was stopped early; this is the best it had")
        for line in (*lines, *map(inline, record.notes)):
            said.setdefault(line, []).append(inline(subset.name))
    if not said:
        return ""
    lines = [
        f"- {text}" + ("" if len(names) == len(subsets) else f" ({', '.join(names)})")
        for text, names in sorted(said.items(), key=lambda item: not item[0].startswith("**"))
    ]
    return "\n".join(["## Warnings and notes", "", *lines])


def _use(subsets: Sequence[Subset], repo: str | None) -> str:
    where, name = repo or "OWNER/NAME", subsets[0].name
    address = f"hf://{where}@COMMIT/{name}"
    lines = [
        "## Use",
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        f'prompts = load_dataset("{where}", "{name}", split="train")',
        "```",
        "",
        'or with the manifest, its calibration and its checks (`pip install "flasheval[hub]"`):',
        "",
        "```python",
        "import flasheval",
        "",
        f'subset = flasheval.load_subset("{address}")',
        "```",
        "",
        "COMMIT is the 40 hex digits of a commit of this repository, so that the set cannot change "
        "under you. A model's score is the mean over the prompts, weighted by `weight` times "
        "`multiplicity`.",
    ]
    bare = [one for one in subsets if any(prompt.text is None for prompt in one.prompts)]
    if bare:
        copies = dict.fromkeys(source.copy if (source := source_of(one)) else "" for one in bare)
        copy = next(iter(copies)) if len(copies) == 1 else ""
        some = "" if len(bare) == len(subsets) else f" in {', '.join(one.name for one in bare)}"
        lines += [
            "",
            f"Texts are not included{some}; they are looked up once in your copy of the prompts, "
            "and every hash is checked:",
            "",
            "```python",
            f'subset = flasheval.load_subset("{address}", prompts="{copy or "YOUR-COPY"}")',
            "```",
        ]
    return "\n".join(lines)


def _columns(subsets: Sequence[Subset]) -> str:
    prompts = [prompt for subset in subsets for prompt in subset.prompts]
    places = sorted({key for prompt in prompts for key in prompt.sources})
    lines = [
        "## Columns",
        "",
        "- `prompt_id`: the id in the prompt set, in order of choice",
        "- `text_sha256`: sha256 of the text's UTF-8 NFC form without white space at its ends",
        "- `weight`, `multiplicity`: the prompt's share in the mean, and how often it counts",
        *(f"- {inline(key)}: where else to look the prompt up" for key in places),
    ]
    if any(prompt.text is not None for prompt in prompts):
        lines.append("- `text`: the prompt")
    return "\n".join(lines)
