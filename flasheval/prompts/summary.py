"""A prompt set in a few lines: which list it is, its ids, tags and lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from flasheval.base.drawing.view import Line, Part, Table, View, lines
from flasheval.prompts.known import KnownList, Recognised, recognise
from flasheval.prompts.lengths import CLIP_TOKENS, IMAGE_REWARD_TOKENS, count_over
from flasheval.prompts.parts import PromptParts
from flasheval.prompts.readers import TextReader, cut_lines
from flasheval.prompts.tags import counted

__all__ = ["over_long", "prompts_view"]

_IDS = 5
# Beside CLIP's 77: what a list is long for depends on what reads it.
_OTHERS = (
    TextReader("scorer image-reward", IMAGE_REWARD_TOKENS),
    TextReader("T5 of Stable Diffusion 3", 256),
    TextReader("T5 of Flux", 512),
)
_VALUES = 12


def prompts_view(
    prompts: PromptParts, lists: tuple[KnownList, ...] | None = None, *, by: str | None = None
) -> View:
    """Return what `flasheval show prompts=FILE` prints.

    Args:
        prompts: The prompts.
        lists: Known lists to look among; None means all that come with flasheval.
        by: A column whose values are listed, all of them; None lists some of every tag.

    Raises:
        SettingError: `by` is no column of the prompts.

    Example:
        >>> from flasheval.prompts import PromptSet
        >>> view = prompts_view(PromptSet("pets", ("a", "b"), ("A cat.", "A dog.")))
        >>> view.headline
        '2 prompts of pets, like no list that flasheval knows'

    """
    found = recognise(prompts, lists)
    count = f"{len(prompts):,} prompt{'' if len(prompts) == 1 else 's'}"
    title = f"{count} of {prompts.name}, like no list that flasheval knows"
    parts: list[Part] = [Line(str(found) if found else title, "headline")]
    parts += [Line(f"{key + ':':<10}{value}") for key, value in _facts(prompts, found)]
    if by is not None:
        column = prompts.column(by, "by")
        parts += [Line(""), _tag_table({by: counted(column)}, shown=len(column))]
    elif tags := _tags(prompts, found):
        parts += [Line(""), _tag_table(tags)]
    warned = [over_long(prompts, found), *cut_lines(prompts.texts or (), _OTHERS)]
    if any(warned):
        parts += [Line(""), *lines(filter(None, warned), "warning")]
    return View(tuple(parts))


def over_long(prompts: PromptParts, found: Recognised | None = None) -> str:
    """Return how many texts are longer than CLIP reads, in one line; empty where none is.

    The number is the recorded one of a known list, else an estimate, which the line says.

    >>> from flasheval.prompts import PromptSet
    >>> over_long(PromptSet("pets", ("a", "b"), ("A cat.", "A dog " * 50)))
    'about 1 of 2 texts are longer than the 77 tokens CLIP reads (an estimate from words): a CLIP \
scorer does not see their ends'
    """
    known = None if found is None or not found.has_its_texts else found.known.over_77
    recorded = found is not None and found.how in ("unchanged", "reordered") and known is not None
    if recorded:
        count, about, how = known or 0, "", "by its own tokenizer"
    else:
        count, about, how = count_over(prompts.texts or ()), "about ", "an estimate from words"
    if not count:
        return ""
    return (
        f"{about}{count:,} of {len(prompts):,} texts are longer than the {CLIP_TOKENS} tokens CLIP "
        f"reads ({how}): a CLIP scorer does not see their ends"
    )


def _facts(prompts: PromptParts, found: Recognised | None) -> Iterator[tuple[str, str]]:
    more = f", ... ({len(prompts):,} in all)" if len(prompts) > _IDS else ""
    yield "ids", ", ".join(prompts.ids[:_IDS]) + more
    yield "texts", _texts(prompts)
    if prompts.texts:
        words = [len(text.split()) for text in prompts.texts]
        yield "lengths", f"{median(words):g} words (median), {min(words):,} to {max(words):,}"
    if found is None:
        return
    known = found.known
    missing = [key for key in known.tags if key not in prompts.extras]
    if found.has_its_texts and missing:
        yield "tags", f"the list has {', '.join(missing)}, which are not columns here"
    if known.images_per_prompt:
        yield "images", f"{known.images_per_prompt} of each prompt in its authors' protocol"
    yield "licence", known.licence
    paper = f", arXiv {known.arxiv}" if known.arxiv else ""
    yield "source", known.source + paper


def _texts(prompts: PromptParts) -> str:
    hashes = prompts.text_hashes
    said = f"hash {prompts.hash[:12]}"
    if hashes is None:
        return f"not known; {said}"
    repeated = len(hashes) - len(set(hashes))
    said = (f"{repeated:,} of them repeat another; " if repeated else "all different; ") + said
    return said if prompts.texts else f"not known, only their hashes; {said}"


def _tags(prompts: PromptParts, found: Recognised | None) -> dict[str, Counter[str]]:
    """Return the prompts by value, for each tag and each column that the known list has as one."""
    known: Sequence[str] = () if found is None else tuple(found.known.tags)
    keys = dict.fromkeys([*prompts.tags, *(key for key in known if key in prompts.extras)])
    tags = {key: counted(prompts.extras[key]) for key in keys}
    for key, counts in tags.items():
        if empty := prompts.extras[key].count(""):
            counts[""] = empty
    return tags


def _tag_table(tags: Mapping[str, Counter[str]], shown: int = _VALUES) -> Table:
    rows = []
    for key, counts in tags.items():
        most = counts.most_common(shown)
        rows += [(key, value or "(empty)", f"{count:,}") for value, count in most]
        if rest := len(counts) - len(most):
            left = counts.total() - sum(count for _, count in most)
            rows.append((key, f"... {rest} more values", f"{left:,}"))
    return Table(("tag", "value", "prompts"), rows, left=2)
