"""The groups of choices in `conf/`: one row for each folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

__all__ = ["GROUPS", "Group"]


@dataclass(frozen=True)
class Group:
    """One folder of `conf/`, whose files are the choices.

    Attributes:
        title: Its heading.
        usage: How a choice and its settings are written on a command line.
        types: Where the function is that returns the type of each choice's settings by name; None
            where the settings are checked elsewhere.
        has_key: Whether a choice is made by ``GROUP=NAME``.

    Example:
        >>> GROUPS["population"].usage, GROUPS["scorer"].has_key
        ('`population=NAME`', False)

    """

    title: str
    usage: str
    types: str | None = None
    has_key: bool = True

    def config_types(self) -> Mapping[str, type[Any]]:
        """Return the type of each choice's settings by its name; empty where there are none.

        >>> sorted(GROUPS["protocol"].config_types())
        ['coco-30k', 'none']
        """
        if self.types is None:
            return {}
        types: Mapping[str, type[Any]] = resolve_name(self.types)()
        return types


GROUPS = {
    "method": Group(
        "Methods",
        "`method=NAME`, `method.KEY=VALUE`; `methods=[{name:NAME,KEY:VALUE}]`",
        types="flasheval.cli.configs:method_configs",
    ),
    "scorer": Group("Scorers", "`scorers=[NAME,{name:NAME,KEY:VALUE}]`", has_key=False),
    "generator": Group(
        "Generators", "in a population, and for `evaluate` and `watch`: `KEY=VALUE`"
    ),
    "population": Group("Populations", "`population=NAME`"),
    "executor": Group(
        "Executors",
        "`executor=NAME`, `executor.KEY=VALUE`",
        types="flasheval.cli.configs:executor_configs",
    ),
    "tracker": Group(
        "Trackers",
        "`tracker=NAME`, `tracker.KEY=VALUE`",
        types="flasheval.cli.configs:tracker_configs",
    ),
    "extractor": Group(
        "Extractors",
        "of `distance`: `extractor=NAME`, `extractor.KEY=VALUE`",
        types="flasheval.cli.configs:extractor_configs",
    ),
    "protocol": Group(
        "Protocols",
        "of `distance`: `protocol=NAME`, `protocol.KEY=VALUE`",
        types="flasheval.cli.configs:protocol_configs",
    ),
    "importer": Group("Importers", "`flasheval import NAME KEY=VALUE`"),
    "experiment": Group("Experiments", "`flasheval VERB experiment=NAME`"),
}
"""Every group by the name of its folder in `conf/`."""
