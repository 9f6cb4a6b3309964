"""The words of a command line as Hydra's options and overrides."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NoReturn

from flasheval.base.errors import SettingError
from flasheval.base.resources import conf_dir
from flasheval.base.suggest import nearest
from flasheval.cli.experiments import refuse_other_verbs
from flasheval.cli.groups import GROUPS
from flasheval.cli.help import keys_of
from flasheval.cli.setting_errors import in_quotes, quoted, setting_mistake
from flasheval.cli.verbs import VERBS, Verb

__all__ = ["lifted", "read_options", "tidied"]

_PATH = "path"  # a first word of this key may have an equals sign in it


def read_options(verb: str, words: list[str]) -> Any:
    """Return Hydra's options; overrides may stand before, after and between them.

    Raises SettingError for an option that is unknown or not allowed here.

    Example:
        >>> options = read_options("search", ["size=10", "-m", "seed=0,1"])
        >>> options.overrides, options.multirun
        (['size=10', 'seed=0,1'], True)

    """
    from hydra._internal.utils import get_args_parser

    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise SettingError(f"{message}; flasheval {verb} --help lists what it takes")

    parser.error = refuse  # type: ignore[method-assign]
    known = [flag for action in parser._actions for flag in action.option_strings]
    _refuse_dashes(verb, words, known)
    options = parser.parse_intermixed_args(words)
    if options.experimental_rerun:
        raise SettingError("--experimental-rerun reads pickled files, which may run foreign code")
    if options.config_path or options.config_name:
        raise SettingError(
            "--config-path and --config-name are fixed; add a folder by --config-dir"
        )
    if options.cfg and options.multirun:
        raise SettingError("--cfg shows the settings of one job; leave out -m")
    return options


def _refuse_dashes(verb: str, words: list[str], known: list[str]) -> None:
    """Refuse a key that is written as an option, with the way keys are written.

    Args:
        verb: The verb.
        words: The words after it.
        known: Hydra's own options.

    Example:
        >>> _refuse_dashes("search", ["--size", "10"], ["--multirun", "-m"])
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: --size 10: keys have no dashes; write size=10

    """
    keys = list(keys_of(conf_dir() / f"{verb}.yaml"))
    for group in (choice.group for choice in VERBS[verb].choices if choice.shown):
        for path in sorted((conf_dir() / group).glob("*.yaml")):
            keys += keys_of(path)
    for place, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if not re.match("--?[^-]", flag) or flag in known or re.match(r"-\d", flag):
            continue
        name = flag.lstrip("-").replace("-", "_")
        if not equals and place + 1 < len(words) and not re.match(r"-[^\d]|.*=", words[place + 1]):
            value = words[place + 1]
        if name in keys:
            shown = f"{flag} {value}" if value and not equals else word
            raise SettingError(f"{shown}: keys have no dashes; write {name}={value or 'VALUE'}")
        if any(one.startswith(flag) for one in known) or (flag[1] != "-" and flag[:2] in known):
            continue  # shortened, or with its value behind it
        raise SettingError(
            f"{flag}: there is no such option; keys are written key=value, without dashes"
            f"{nearest(flag, known, 0.75) or nearest(name, keys)}; flasheval {verb} --help lists "
            "them"
        )


def tidied(verb: str, options: Any) -> list[str]:
    """Return the overrides as Hydra reads them.

    Positional words get their key, `~/` becomes the home folder, a path with characters that mean
    something to Hydra gets quotes, and `--config-dir` becomes a search path.

    Raises SettingError for a word that is no override, and for an experiment of another verb.

    Example:
        >>> tidied("show", read_options("show", ["my (first) table.csv"]))
        ['path="my (first) table.csv"']
        >>> tidied("search", read_options("search", ["size"]))
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: size: expected key=value

    """
    row, words = VERBS[verb], list(options.overrides)
    if row.rest:
        kept = 1 if row.first else 0
        words = [*words[:kept], *_listed(words[kept:], row.rest)]
    if words and row.first:
        words[0] = _named(row.first, words[0])
    overrides = [_tidy(_population(word)) for word in _opened(row, words)]
    refuse_other_verbs(verb, overrides, options.config_dir)
    if row.first and row.first == row.config_key:
        _require(row, row.first, overrides)
    if options.config_dir is not None:
        if not Path(options.config_dir).is_dir():
            raise SettingError(f"--config-dir {options.config_dir} is not a folder")
        path = os.path.abspath(options.config_dir).replace("'", "\\'")
        overrides.append(f"hydra.searchpath=['file://{path}']")
    return overrides


def lifted(overrides: list[str]) -> list[str]:
    """Return the overrides of a sweep so that a swept method may have settings.

    Hydra checks what is not swept against the settings it starts from, where the default method
    stands: `method.swaps=9` beside `method=anneal,evolve` becomes a sweep over one value.

    Raises SettingError for a setting that is null, of which there is no sweep.

    Example:
        >>> lifted(["method=anneal,evolve", "method.swaps=9"])
        ['method=anneal,evolve', 'method.swaps=choice(9)']
        >>> lifted(["method=anneal", "method.swaps=9"])  # one method: nothing to lift
        ['method=anneal', 'method.swaps=9']

    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parsed = OverridesParser.create().parse_overrides(overrides)
    if not any(one.key_or_group == "method" and one.is_sweep_override() for one in parsed):
        return overrides
    return [_swept(word, one) for word, one in zip(overrides, parsed, strict=True)]


def _swept(word: str, override: Any) -> str:
    if not override.key_or_group.startswith("method.") or override.is_sweep_override():
        return word
    if override.value() is None:  # the one value Hydra has no sweep of
        raise SettingError(f"{word}: null cannot be given beside several methods; leave it out")
    return f"{override.get_key_element()}=choice({override.get_value_element_as_str()})"


def _require(verb: Verb, key: str, overrides: list[str]) -> None:
    if not any(word.startswith(f"{key}=") for word in overrides):
        names = ", ".join(verb.config_types())
        raise SettingError(
            f"say which {key}: flasheval {verb.name} NAME key=value ...; there are: {names}"
        )


def _named(key: str, word: str) -> str:
    if "=" in word and not (key == _PATH and os.path.exists(word)):
        return word
    return quoted(f"{key}={word}") or f"{key}={word}"


def _listed(words: list[str], key: str) -> list[str]:
    """Return words with the files and names among them as one list, which is the key's value."""
    files = [word for word in words if "=" not in word or os.path.exists(word)]
    if not files:
        return words
    others = [word for word in words if word not in files]
    return [f"{key}=[{','.join(map(in_quotes, files))}]", *others]


def _opened(verb: Verb, words: list[str]) -> list[str]:
    """Return words so that mappings, such as a generator's components, take any key."""
    from dataclasses import fields

    keys = (key for config in verb.config_types().values() for key in fields(config))
    free = {key.name for key in keys if key.default_factory is dict}
    return [f"++{word}" if re.split("[.=]", word)[0] in free else word for word in words]


def _population(word: str) -> str:
    """Return the choice of a population from a YAML file as one of a shipped one."""
    key, _, value = word.partition("=")
    if key != "population" or not value.lower().endswith((".yaml", ".yml")):
        return word
    from hydra.core.config_store import ConfigStore

    from flasheval.generators.populations.sources import population_settings

    path = Path(value).expanduser()
    settings = {"name": path.stem, **population_settings(path)}
    # Hydra knows groups by their folders; a file from anywhere becomes one by being stored.
    name = f"{path.stem}-file"
    node = {key: _literal(value) for key, value in settings.items()}
    ConfigStore.instance().store(group="population", name=name, node=node)
    return quoted(f"population={name}") or word


def _literal(value: Any) -> Any:
    """Return values of a user's file so that Hydra leaves ``${...}`` in them as it is.

    Such a file must not read the environment: its values go into runs and published manifests.
    """
    if isinstance(value, dict):
        return {key: _literal(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_literal(one) for one in value]
    if not isinstance(value, str):
        return value
    # The backslashes before it stand for half as many.
    return re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + "\\${", value)


def _tidy(word: str) -> str:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import OverrideParseException

    key, _, value = word.partition("=")
    if value.startswith("~/"):
        word = f"{key}={os.path.expanduser(value)}"
    if word.startswith("+experiment="):  # as Hydra's own guide writes it
        word = word[1:]
    parser = OverridesParser.create()
    try:
        parsed = parser.parse_overrides([word])[0]
    except OverrideParseException as error:
        word = quoted(word) or word
        try:
            parsed = parser.parse_overrides([word])[0]
        except OverrideParseException:  # then quotes were not what it lacked
            raise SettingError(setting_mistake(error)) from error
    _refuse_odd(parsed)
    return word


def _refuse_odd(override: Any) -> None:
    """Refuse words that Hydra would accept now and reject later with an unreadable error."""
    key, line = override.key_or_group, override.input_line
    if not key:
        raise SettingError(f"{line}: expected key=value")
    if override.is_delete():
        raise SettingError(f"{line}: a setting can be changed, not deleted")
    if key == "method.name":
        raise SettingError(f"{line}: a method is chosen by method={override.value()}")
    if key == "hydra.mode":
        raise SettingError(f"{line}: leave it out; -m runs a sweep, and without -m one job runs")
    group = GROUPS.get(key)
    one_name = override.is_sweep_override() or isinstance(override.value(), str)
    if group is not None and group.has_key and not one_name:
        raise SettingError(f"{line}: expected one name, as in {key}=NAME")
