"""`flasheval subsets`: published subsets listed, shown, verified, resolved, exported, imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from flasheval.base.errors import DataError, SettingError
from flasheval.base.resources import bundled
from flasheval.base.run_folders import shown_path
from flasheval.base.suggest import nearest
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.of_subsets.exporting import run_export
from flasheval.cli.commands.of_subsets.importing import run_import_subset
from flasheval.cli.commands.of_subsets.rows import (
    TITLES,
    count_of,
    data_of,
    further_line,
    grouped,
    how_to_use,
    ready_names,
    row_of,
    words_of,
)
from flasheval.cli.commands.show import show_subset
from flasheval.cli.configs import SubsetsConfig
from flasheval.cli.exit_codes import DONE, FAILED
from flasheval.prompts import PromptSet
from flasheval.subset.library.cache import has_texts, with_kept_texts
from flasheval.subset.library.catalogue import load_named
from flasheval.subset.library.copies import open_copy
from flasheval.subset.library.finding import find_subset
from flasheval.subset.library.resolving import resolve_together
from flasheval.subset.library.signatures import Signature
from flasheval.subset.library.texts import missing_texts, require_hashes, some_of
from flasheval.subset.library.verifying import verify, verify_texts

if TYPE_CHECKING:
    from flasheval.subset import Subset
    from flasheval.subset.library.resolving import Resolved
    from flasheval.subset.library.rows import Copy

__all__ = ["run_subsets"]

_ALL = "all"
_FILE = "your copy of the prompt set"
_SIGNED = ("signature", "signers", "identity")


def run_subsets(config: SubsetsConfig, context: Context) -> Outcome:
    """Do what the settings of the command line ask for, and return the outcome.

    Raises FlashevalError for a setting, a subset or a file that cannot be used.

    Example:
        >>> run_subsets(SubsetsConfig(action="lst"), Context(Console()))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: there is no action 'lst' of subsets; there are: ...

    """
    if config.action not in _ACTIONS:
        raise SettingError(
            f"there is no action {config.action!r} of subsets; there are: {', '.join(_ACTIONS)}"
            f"{nearest(config.action, _ACTIONS)}"
        )
    action, keys = _ACTIONS[config.action]
    for key in ("prompts", "format", "out", "settings", *_SIGNED):
        if getattr(config, key) and key not in keys:
            raise SettingError(f"subsets {config.action} does not use {key}=; leave it out")
    return action(config, context.console)


def _list(config: SubsetsConfig, console: Console) -> Outcome:
    subsets, damaged = _all_bundled()
    chosen = [one for one in subsets if all(word in words_of(one) for word in _folded(config))]
    if not chosen and not damaged:
        words, known = " ".join(config.names), bundled()
        there = f"none fits {words!r}{nearest(words, known)}" if known else "none is installed"
        raise SettingError(f"{there}; flasheval subsets list names all published subsets")
    width = max([len(one.name) for one in chosen], default=0) + 2
    ready = ready_names(chosen)
    for group, members in grouped(chosen).items():
        left = [one.name for one in members if one.name not in ready]
        state = "texts ready" if not left else "texts: resolve once"
        console.print(Text(f"{group}; {state}", style="bold"), soft_wrap=True)
        title = f"{'':<{width}}{TITLES}"
        console.print(Text(title, style="dim"), soft_wrap=True)
        for one in members:
            console.print(row_of(one, width), soft_wrap=True, markup=False)
        console.print()
    for fault in damaged:
        console.print(Text(fault, style="red"), soft_wrap=True)
    if len(ready) < len(chosen):
        console.print(
            f"texts: flasheval subsets resolve NAME prompts=FILE, {_FILE}", soft_wrap=True
        )
    result = {
        "kind": "subsets",
        "schema": 1,
        "subsets": [{**data_of(one), "texts_ready": one.name in ready} for one in chosen],
    }
    said = f"{count_of(len(chosen))}, {len(ready)} with texts ready"
    answer = Answer(result, said, warnings=tuple(damaged))
    return Outcome(FAILED if damaged else DONE, answer=answer)


def _show(config: SubsetsConfig, console: Console) -> Outcome:
    shown = []
    for number, name in enumerate(_named(config, "show")):
        if number:
            console.print()
        subset, files = find_subset(name), bundled()
        shown.append(subset)
        where = shown_path(files[name]) if name in files else name
        show_subset(subset, where, console)
        lines = [
            f"{'further:' if not i else '':<10}{further_line(more)}"
            for i, more in enumerate(subset.record.further_evidence)
        ]
        for line in (*lines, *how_to_use(subset, name)):
            console.print(line, soft_wrap=True, markup=False)
    manifests = [one.to_dict() for one in shown]
    result = {"kind": "manifests", "schema": 1, "manifests": manifests}
    return Outcome(DONE, answer=Answer(result, "; ".join(_sizes(shown))))


def _sizes(subsets: Sequence[Subset]) -> list[str]:
    return [f"{one.name}: {one.size} prompts of {one.prompt_set_name}" for one in subsets]


def _verify(config: SubsetsConfig, console: Console) -> Outcome:
    subsets, _ = _all_bundled()
    wholes = {one.name: one for one in subsets}
    names = config.names or list(bundled())
    if not names:
        raise SettingError("no published subset is installed; name a manifest to verify")
    signature = _signature(config)
    # Those that come along were read a moment ago; a name may also be a file's.
    read = {} if config.names else wholes
    verdicts = [verify(name, wholes, signature, read.get(name)) for name in names]
    if config.prompts is not None:
        copy = _copy(config, "verify")
        verdicts = verify_texts(verdicts, copy, only_its_own=not config.names)
        if not any(one.texts or one.faults for one in verdicts):
            raise DataError(f"{copy.name} holds no text of any published subset")
    width = max(map(len, names))
    for one in verdicts:
        if one.faults:
            line = f"{one.name:<{width}}  FAILED  {'; '.join(one.faults)}"
            console.print(Text(line, style="red"), soft_wrap=True)
        elif one.subset is not None:
            texts = "  texts ok" if one.texts else ""
            signed = f"  signed by {config.identity}" if signature else ""
            digest = one.subset.content_hash[:12]
            line = f"{one.name:<{width}}  unchanged  sha256 {digest}{texts}{signed}"
            console.print(line, soft_wrap=True, markup=False)
    failed = [one.name for one in verdicts if one.faults]
    said = f"{len(failed)} of {len(names)} failed: {', '.join(failed)}"
    said = said if failed else f"{count_of(len(names))} unchanged"
    console.print(said, soft_wrap=True)
    result = {
        "kind": "verification",
        "schema": 1,
        "subsets": [
            {
                "name": one.name,
                "content_hash": None if one.subset is None else one.subset.content_hash,
                "texts": bool(one.texts),
                "signed_by": config.identity if signature and not one.faults else None,
                "faults": list(one.faults),
            }
            for one in verdicts
        ],
    }
    return Outcome(FAILED if failed else DONE, answer=Answer(result, said))


def _resolve(config: SubsetsConfig, console: Console) -> Outcome:
    names = _named(config, "resolve")
    everything = _ALL in names
    asked = _all_bundled()[0] if everything else [find_subset(name) for name in names]
    unasked = not everything and config.prompts is None
    if unasked and all(has_texts(with_kept_texts(one)) for one in asked):
        said = f"texts ready: {', '.join(one.name for one in asked)}"
        console.print(said)
        return Outcome(DONE, answer=_resolved([one.name for one in asked], 0, said))
    copy = _copy(config, "resolve", asked)
    by_set: dict[str | None, list[Subset]] = {}
    for one in asked:
        require_hashes(one)
        by_set.setdefault(one.prompt_set_hash, []).append(one)
    results = [resolve_together(members, copy) for members in by_set.values()]
    if everything:
        results = [one for one in results if one.here]
        if not results:
            raise DataError(f"{copy.name} holds no text of any published subset that lacks texts")
    codes = [_tell_resolved(one, console) for one in results]
    if any(codes):
        missing = [one.name for result in results for one in result.asked if not has_texts(one)]
        raise DataError(
            f"{copy.name} lacks texts of {count_of(len(missing))} ({', '.join(missing[:5])}"
            f"{', ...' if len(missing) > 5 else ''}), named above; is it that prompt set, whole?"
        )
    ready = [name for one in results for name in _ready(one)]
    new = sum(one.new for one in results)
    said = f"{count_of(new, 'text')} newly kept, {count_of(len(ready))} ready"
    return Outcome(DONE, answer=_resolved(ready, new, said))


def _resolved(ready: Sequence[str], new: int, said: str) -> Answer:
    result = {"kind": "texts", "schema": 1, "new_texts": new, "ready": list(ready)}
    return Answer(result, said)


def _ready(result: Resolved) -> list[str]:
    """Return the names of the subsets whose texts a look-up has made ready."""
    return list(dict.fromkeys([*(o.name for o in result.asked if has_texts(o)), *result.ready]))


def _tell_resolved(result: Resolved, console: Console) -> int:
    """Print what one prompt set's look-up gave, every missing prompt by id; 1 if any is."""
    lacking = [one for one in result.asked if not has_texts(one)]
    wants = {one.id: one for subset in lacking for one in subset.prompts}
    name = result.asked[0].prompt_set_name
    if lacking:
        errors = [error for one in lacking if (error := missing_texts(one, result.found))]
        kinds = {
            "not there": {name for error in errors for name in error.absent},
            "there with another text": {name for error in errors for name in error.other},
        }
        for problem, ids in kinds.items():
            if ids:
                shown = ", ".join(one for one in wants if one in ids)
                line = f"{name}: {count_of(len(ids), 'prompt')} {problem}: {shown}"
                console.print(line, soft_wrap=True, markup=False)
    ready = _ready(result)
    line = f"{name}: {count_of(result.new, 'text')} newly kept, {count_of(len(ready))} ready"
    console.print(f"{line}{': ' if ready else ''}{some_of(ready)}", soft_wrap=True, markup=False)
    return FAILED if lacking else DONE


def _export(config: SubsetsConfig, console: Console) -> Outcome:
    return Outcome(DONE, answer=run_export(config, console))


def _import(config: SubsetsConfig, console: Console) -> Outcome:
    return Outcome(DONE, answer=run_import_subset(config, console))


_ACTIONS: dict[str, tuple[Callable[[SubsetsConfig, Console], Outcome], tuple[str, ...]]] = {
    "list": (_list, ()),
    "show": (_show, ()),
    "verify": (_verify, ("prompts", *_SIGNED)),
    "resolve": (_resolve, ("prompts",)),
    "export": (_export, ("prompts", "format", "out", "settings")),
    "import": (_import, ("prompts", "out", "settings")),
}


def _all_bundled() -> tuple[list[Subset], list[str]]:
    """Return the published subsets, and what is wrong with those that cannot be read."""
    subsets, faults = [], []
    for name, path in bundled().items():
        try:
            subsets.append(load_named(path, name))
        except DataError as error:
            faults.append(str(error))
    return subsets, faults


def _named(config: SubsetsConfig, action: str) -> list[str]:
    if not config.names:
        raise SettingError(
            f"no subset is named: flasheval subsets {action} NAME; flasheval subsets list names "
            "what there is"
        )
    return config.names


def _copy(config: SubsetsConfig, action: str, subsets: Sequence[Subset] = ()) -> Copy:
    if isinstance(config.prompts, PromptSet) or (
        isinstance(config.prompts, str) and config.prompts.strip()
    ):
        return open_copy(config.prompts)
    if config.prompts is None:
        sets = dict.fromkeys(f'"{one.prompt_set_name}"' for one in subsets)
        raise SettingError(
            f"prompts is missing: flasheval subsets {action} ... prompts=FILE, {_FILE} "
            f"{', '.join(sets)}"
        )
    raise SettingError(f"prompts={config.prompts}: expected one file, {_FILE}")


def _signature(config: SubsetsConfig) -> Signature | None:
    given = {key: getattr(config, key) for key in _SIGNED}
    if not any(given.values()):
        return None
    missing = [key for key, value in given.items() if not value]
    if missing:
        raise SettingError(
            f"{missing[0]} is missing: a signature is checked with signature=FILE.sig "
            "signers=ALLOWED_SIGNERS identity=NAME"
        )
    if len(config.names) != 1:
        raise SettingError("signature= is of one manifest: flasheval subsets verify NAME ...")
    return Signature(*given.values())


def _folded(config: SubsetsConfig) -> list[str]:
    return [word.casefold() for word in config.names]
