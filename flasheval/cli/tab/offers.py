"""What Tab offers: verbs, keys and values, from the tables that everything else reads.

Neither Hydra nor any library of numbers is imported, so that a Tab is answered at once.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from flasheval.base.resources import MINIATURE, bundled, conf_dir, score_names, shipped_scores
from flasheval.cli.experiments import experiments
from flasheval.cli.groups import GROUPS
from flasheval.cli.help import first_comment, keys_of
from flasheval.cli.tab.scripts import SCRIPTS
from flasheval.cli.verbs import VERBS, Verb

__all__ = ["Offer", "answer", "completions", "offered"]

_BREAKS = " \t\n\"'><=;|&(:"  # where bash parts words, unless the user says otherwise
_WORD = r"[a-z][\w-]*"


class Offer(NamedTuple):
    """What may stand in place of the last word.

    Attributes:
        words: Whole words, each with a remark or "".
        files: Whether there are paths among them, which a shell must quote.
        goes_on: Whether what comes next belongs to the same word, as after ``size=``.

    """

    words: dict[str, str]
    files: bool = False
    goes_on: bool = False


def completions(words: Sequence[str]) -> Offer:
    """Return what the last word of a command line may become.

    Args:
        words: The words after `flasheval`; the last is what has been typed of it, perhaps nothing.

    >>> list(completions(["sea"]).words)
    ['search']
    >>> list(completions(["search", "siz"]).words)
    ['size=']
    >>> list(completions(["search", "method=an"]).words)
    ['method=anchors', 'method=anneal']

    """
    *before, last = words or [""]
    if not before:
        verbs = {verb.name: verb.summary for verb in VERBS.values()}
        return _fitting({**verbs, "--help": "", "--version": ""}, last)
    verb = VERBS.get(before[0])
    if verb is None:
        return Offer({})
    if last.startswith("-"):
        more = {"-m": "run every combination of comma-separated values"} if verb.sweeps else {}
        return _fitting({"--help": "the keys, with examples", **more}, last)
    key, equals, value = last.partition("=")
    if equals:
        return _begun(f"{key}=", _values(verb, key, value, before[1:]))
    return _keys_and_words(verb, last, before[1:])


def answer(shell: str, arguments: Sequence[str]) -> str:
    r"""Return the lines for a shell: what holds of all words, then each word, a tab, its remark.

    Args:
        shell: bash, zsh or fish.
        arguments: Of bash the line up to the cursor, and the signs at which it parts words; of
            others the words after `flasheval`, the last as far as it is typed.

    >>> answer("zsh", ["search", "siz"])
    'nospace\nsize=\tnumber of prompts to choose'
    >>> answer("bash", ["flasheval search method=anne"]).partition("\t")[0]
    '\nanneal'

    """
    if shell != "bash":
        return _lines(completions(arguments))
    line, breaks = arguments[0], arguments[1] if len(arguments) > 1 else _BREAKS
    words, cut = _parted(line, breaks)
    found = completions(words[1:])
    return _lines(found._replace(words={one[cut:]: said for one, said in found.words.items()}))


def offered(group: str) -> dict[str, str]:
    """Return the choices of a group, each with its remark: ours, then other packages'.

    >>> list(offered("protocol"))
    ['coco-30k', 'none']
    """
    from importlib.metadata import entry_points

    files = sorted((conf_dir() / group).glob("*.yaml"), key=lambda path: path.stem)
    found = {path.stem: first_comment(path) for path in files}
    for point in entry_points(group=f"flasheval.{group}s"):
        found.setdefault(point.name, f"of {point.dist.name if point.dist else 'another package'}")
    return found


def _keys_and_words(verb: Verb, last: str, before: Sequence[str]) -> Offer:
    """Return the keys that a word may begin, and what may stand without a key."""
    plain = [word for word in before if "=" not in word]
    place = verb.first if verb.first is not None and not plain else verb.rest
    if place is None and verb.first is None:
        place = verb.rest
    free = Offer({}) if place is None else _values(verb, place, last, before)
    prefix, dot, _ = last.rpartition(".")
    if dot and prefix in GROUPS:
        keys = _settings(verb, prefix, before)
        return _begun("", _fitting({f"{prefix}.{key}=": said for key, said in keys.items()}, last))
    given = {word.partition("=")[0] for word in before}
    keys = {
        f"{key}=": said
        for key, (_, said) in _keys(verb, before).items()
        if key not in given and key != place
    }
    keys |= {
        f"{one.group}.": f"settings of the {one.group}"
        for one in verb.choices
        if last and GROUPS[one.group].types is not None
    }
    found = _fitting(keys, last)
    every = {**free.words, **found.words}
    goes_on = bool(every) and all(one.endswith(("=", ".", "/")) for one in every)
    return Offer(every, free.files, goes_on)


def _keys(verb: Verb, before: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return a verb's keys with default and meaning, those of its choices at the top too."""
    found = keys_of(conf_dir() / f"{verb.name}.yaml")
    for choice in verb.choices:
        named = [word.rpartition("=")[2] for word in before]
        files = {path.stem: path for path in (conf_dir() / choice.group).glob("*.yaml")}
        chosen = [name for name in files if name in named] or [*choice.shown]
        if choice.shown:  # else its settings have a prefix, or stand in a list
            for name in chosen:
                found |= keys_of(files[name]) if name in files else {}
    if experiments(verb.name):
        found["experiment"] = ("null", "settings with a name")
    return found


def _settings(verb: Verb, group: str, before: Sequence[str]) -> dict[str, str]:
    """Return the settings of a group's chosen one, or its default."""
    default = _keys(verb, ()).get(group, ("", ""))[0]
    chosen = [word.partition("=")[2] for word in before if word.startswith(f"{group}=")]
    path = conf_dir() / group / f"{(chosen or [default])[-1]}.yaml"
    if not path.is_file():
        return {}
    return {key: said for key, (_, said) in keys_of(path).items()}


def _values(verb: Verb, key: str, value: str, before: Sequence[str]) -> Offer:
    """Return what a key's value may become; of a list, its last entry."""
    groups = {one.how.partition("=")[0]: one.group for one in verb.choices if "=" in one.how}
    if key == verb.config_key or key == "generator":
        groups[key] = key
    if key in groups:
        head = value[: max(map(value.rfind, "[,{")) + 1]
        if head and value[len(head) :].startswith("name:"):
            head += "name:"
        names = _fitting(offered(groups[key]), value[len(head) :])
        whole = _begun(head, names)
        yaml = _files(value, (".yaml", ".yml")) if key == "population" else Offer({})
        return _together(whole, yaml)
    if key in _NAMES:
        head = value[: max(map(value.rfind, "[,")) + 1]
        names = _fitting(dict.fromkeys(_NAMES[key](verb, before), ""), value[len(head) :])
        whole = _begun(head, names)
        return (
            whole
            if key in _NO_FILES and not verb.usage.startswith("FILE")
            else _together(whole, _files(value))
        )
    default, meaning = _keys(verb, before).get(key, ("null", ""))
    if default in ("true", "false"):
        return _fitting({"true": "", "false": ""}, value)
    said = _fitting(dict.fromkeys(_said(meaning), ""), value)
    if said.words or re.fullmatch(r"-?[\d.]+", default):
        return said
    return _files(value)


def _said(meaning: str) -> list[str]:
    """Return the words that a key's remark lists.

    >>> _said("search: those of the search; other: others"), _said("one of jsonl, csv, parquet")
    (['search', 'other'], [])
    >>> _said("format to export: jsonl, csv, parquet")
    ['jsonl', 'csv', 'parquet']
    """
    pairs = re.findall(rf"(?:^|; )({_WORD}):? ", meaning) if ";" in meaning else []
    told = [one for one in pairs if re.search(rf"(?:^|; ){one}: ", meaning)]
    listed = re.search(rf": ({_WORD}(?:, {_WORD})+)(?:\.\.\.)?$", meaning)
    return told or (listed[1].split(", ") if listed else [])


def _subsets(verb: Verb, before: Sequence[str]) -> Iterable[str]:
    return bundled()


def _scores(verb: Verb, before: Sequence[str]) -> Iterable[str]:
    return score_names()


def _prompts(verb: Verb, before: Sequence[str]) -> Iterable[str]:
    return (MINIATURE,)


def _metrics(verb: Verb, before: Sequence[str]) -> Iterable[str]:
    """Return the metrics of the scores on the line, or of the default ones."""
    default = _keys(verb, ()).get("scores", ("",))[0]
    given = [word.partition("=")[2] for word in before if word.startswith("scores=")]
    source = (given or [default])[-1]
    folder = shipped_scores(os.path.expanduser(source)) / "scores" if source else Path("")
    return sorted(path.stem for path in folder.glob("*.parquet"))


def _actions(verb: Verb, before: Sequence[str]) -> Iterable[str]:
    return verb.actions


_NAMES: Mapping[str, Callable[[Verb, Sequence[str]], Iterable[str]]] = {
    "subset": _subsets,
    "names": _subsets,
    "path": _subsets,
    "scores": _scores,
    "prompts": _prompts,
    "metric": _metrics,
    "action": _actions,
    "experiment": lambda verb, _: experiments(verb.name),
    "shell": lambda *_: SCRIPTS,
}
"""What names a key's value may be."""

_NO_FILES = ("metric", "action", "experiment", "shell")
"""Those of them whose value is never a path."""


def _files(typed: str, suffixes: tuple[str, ...] = ()) -> Offer:
    """Return the paths that begin as typed; folders end in a slash."""
    shown, name = os.path.split(typed)
    try:
        with os.scandir(os.path.expanduser(shown) or ".") as entries:
            there = sorted((one.name, one.is_dir()) for one in entries)
    except OSError:
        return Offer({})
    head = typed[: len(typed) - len(name)]
    words = {
        f"{head}{one}{'/' if folder else ''}": ""
        for one, folder in there
        if one.startswith(name)
        and (name.startswith(".") or not one.startswith("."))
        and (folder or not suffixes or one.endswith(suffixes))
    }
    return Offer(words, files=bool(words), goes_on=bool(words) and all(map(_is_folder, words)))


def _is_folder(word: str) -> bool:
    return word.endswith("/")


def _fitting(words: Mapping[str, str], typed: str) -> Offer:
    found = {one: said for one, said in words.items() if one.startswith(typed)}
    return Offer(found)


def _begun(head: str, offer: Offer) -> Offer:
    words = {f"{head}{one}": said for one, said in offer.words.items()}
    goes_on = offer.goes_on or (bool(words) and all(one.endswith(("=", ".")) for one in words))
    goes_on = goes_on or bool(re.search(r"=\[|^\[", head)) or head.startswith("[")
    return Offer(words, offer.files, goes_on)


def _together(first: Offer, second: Offer) -> Offer:
    if not second.words:
        return first
    goes_on = second.goes_on and (first.goes_on or not first.words)
    return Offer({**first.words, **second.words}, first.files or second.files, goes_on)


def _parted(line: str, breaks: str) -> tuple[list[str], int]:
    """Return the words of an unfinished line, and how much of the last bash does not replace."""
    if (len(line) - len(line.rstrip("\\"))) % 2:  # half of an escaped sign
        return _parted(line[:-1], breaks)
    quote, words = "", [""]
    for quote in ("", '"', "'"):
        try:
            words = shlex.split(line + quote)
            break
        except ValueError:
            continue
    if not quote and (not line or line[-1] in " \t\n") and not line.endswith("\\ "):
        words.append("")
    last = words[-1]
    if quote:  # what stands in the quotes is one word to bash
        typed = line[line.rfind(quote) + 1 :]
        return words, len(last) - len(typed)
    return words, max((last.rfind(sign) for sign in breaks), default=-1) + 1


def _lines(offer: Offer) -> str:
    flags = [*(["nospace"] if offer.goes_on else []), *(["files"] if offer.files else [])]
    rows = [f"{one}\t{said}" for one, said in offer.words.items() if "\n" not in one]
    return "\n".join([" ".join(flags), *rows])
