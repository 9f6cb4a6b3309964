"""Write the JSON Schemas of results that are records from the records' own annotations.

    python scripts/release/write_schemas.py

Replaces their parts of flasheval/cli/schemas/result.json; the others are written by hand. A number
that is not finite is null in JSON, so every float may be null.
"""

from __future__ import annotations

import argparse
import json
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import flasheval.cli
from flasheval.base.drawing.shown import Shown
from flasheval.evaluation.comparison import Comparison
from flasheval.evaluation.judging.judge_check import JudgeCheck
from flasheval.evaluation.report import Report
from flasheval.evaluation.sequential import SequentialComparison
from flasheval.evaluation.watching.leaderboard import Leaderboard
from flasheval.runs.status.run_status import RunStatus
from flasheval.selection.held_out.report import ValidationReport
from flasheval.set_metrics.comparison import SetComparison

Schema = dict[str, Any]

RESULT = Path(flasheval.cli.__file__).with_name("schemas") / "result.json"
STRING, NUMBER = {"type": "string"}, {"type": ["number", "null"]}


@dataclass(frozen=True)
class Form:
    """A result that is a record, and where its JSON differs from its fields.

    Attributes:
        cls: The record.
        without: Fields that its JSON never has.
        more: Keys beside its fields, or in place of them, with their schemas.
        sparse: Whether what equals its default is left out, at any depth.

    """

    cls: type[Shown]
    without: tuple[str, ...] = ()
    more: Mapping[str, Schema] = field(default_factory=dict)
    sparse: bool = False


def forms() -> tuple[Form, ...]:
    """Return the results whose schemas are written."""
    return (
        Form(Comparison),
        Form(
            SequentialComparison,
            more={"better": {"enum": ["first", "second", None]}, "size": {"type": "integer"}},
        ),
        Form(SetComparison),
        Form(JudgeCheck),
        Form(Leaderboard),
        Form(ValidationReport, without=("cells", "random", "learning_cells")),
        Form(
            Report,
            without=("images",),
            more={"format": STRING, "schema_version": {"type": "integer"}, "subset": _manifest()},
            sparse=True,
        ),
        Form(RunStatus, more={"complete": {"type": "boolean"}, "share": NUMBER}),
    )


def schema_of(kind: Any, *, sparse: bool = False) -> Schema:
    """Return the JSON Schema of values of a type; see `Form` for `sparse`.

    >>> schema_of(tuple[float, ...])
    {'type': 'array', 'items': {'type': ['number', 'null']}}
    """
    plain = {str: "string", int: "integer", bool: "boolean", Path: "string", type(None): "null"}
    if kind is float:
        return dict(NUMBER)
    if kind in plain:
        return {"type": plain[kind]}
    origin, parts = get_origin(kind), get_args(kind)
    within = partial(schema_of, sparse=sparse)
    if origin is Literal:
        return {"enum": list(parts)}
    if origin in (Union, types.UnionType):
        return _any_of(list(map(within, parts)))
    if origin is tuple and parts[-1] is not Ellipsis:
        ends = {"minItems": len(parts), "maxItems": len(parts)}
        return {"type": "array", "prefixItems": list(map(within, parts)), **ends}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": within(parts[1])}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return {"type": "array", "items": within(parts[0])}
    if isinstance(kind, type) and issubclass(kind, Shown):
        return {"allOf": [{"$ref": "result.json"}, {"properties": {"kind": {"const": kind.kind}}}]}
    return _record(Form(kind, sparse=sparse)) if is_dataclass(kind) else {}


def _record(form: Form) -> Schema:
    hints = get_type_hints(form.cls)
    kept = [one for one in fields(form.cls) if one.name not in form.without]
    found = {one.name: schema_of(hints[one.name], sparse=form.sparse) for one in kept}
    default = {one.name for one in kept if _has_default(one)} if form.sparse else set()
    found |= form.more
    required = [name for name in found if name not in default]
    return {"type": "object", "required": required, "properties": found}


def _has_default(one: Field[Any]) -> bool:
    return one.default is not MISSING or one.default_factory is not MISSING


def part_of(form: Form) -> Schema:
    """Return the part of the schema of results that tells a record's keys."""
    record = _record(form)
    then = {
        "required": ["headline", *record["required"]],
        "properties": {"headline": dict(STRING), **record["properties"]},
    }
    return {"if": {"properties": {"kind": {"const": form.cls.kind}}}, "then": then}


def _any_of(schemas: list[Schema]) -> Schema:
    """Return what fits any of several; plain types become one list of types."""
    if {} in schemas:
        return {}
    if all(set(one) == {"type"} for one in schemas):
        named = [kind for one in schemas for kind in _listed(one["type"])]
        return {"type": list(dict.fromkeys(named))}
    return {"anyOf": schemas}


def _listed(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def _manifest() -> Schema:
    """Return the schema of a subset's manifest, which is no result of its own in a report."""
    then = next(one["then"] for one in _committed()["allOf"] if _kind_of(one) == "subset")
    keys = {key: one for key, one in then["properties"].items() if key != "headline"}
    return {"type": "object", "required": list(keys), "properties": keys}


def _kind_of(part: Schema) -> str:
    return str(part["if"]["properties"]["kind"]["const"])


def _committed() -> Schema:
    schema: Schema = json.loads(RESULT.read_text("utf-8"))
    return schema


def written() -> Schema:
    """Return the schema of results with the parts of records as their annotations say."""
    schema = _committed()
    parts = {form.cls.kind: part_of(form) for form in forms()}
    schema["allOf"] = [parts.get(_kind_of(one), one) for one in schema["allOf"]]
    return schema


def main() -> int:
    """Write the file, or tell whether it is up to date; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; end with 1 where it would change"
    )
    schema = written()
    if parser.parse_args().check:
        return int(schema != _committed())
    RESULT.write_text(json.dumps(schema, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
