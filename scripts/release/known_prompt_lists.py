"""Write what the package knows of published prompt lists, from a file of facts about them.

The facts (a JSON list, an object a prompt list) hold more than the package needs: layouts, sizes
of files, notes. Kept are names, numbers, hashes, tags, terms and sources; no texts stand in them.
`--check` compares with what is there and changes nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flasheval.base.json_data import from_plain, read_json, to_plain
from flasheval.prompts.known.lists import FILE, KnownList

_SHORT = {
    "geneval": "GenEval",
    "geneval-txt": "GenEval",
    "geneval2": "GenEval 2",
    "dpg-bench": "DPG-Bench",
    "vbench": "VBench",
}
# Counts over questions, atoms or images: not of prompts, so not the values of a column of tags.
_NOT_OF_PROMPTS = ("(questions)", "(per atom)", "present in prompt", "max_disagreement", "images")


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check the file; returns 1 when it differs from what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("facts", type=Path, help="the JSON file of facts")
    parser.add_argument("--out", type=Path, default=FILE, help="the file in the package")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args(argv)
    text = as_text([known_list(facts) for facts in read_json(options.facts)])
    same = options.out.is_file() and options.out.read_text("utf-8") == text
    if not (same or options.check):
        options.out.write_text(text, "utf-8")
    print(f"{options.out.name}: {'same' if same else 'new'}, {len(text):,} characters")
    return int(options.check and not same)


def known_list(facts: Mapping[str, Any]) -> KnownList:
    """Return what the package keeps of the facts about one list."""
    images = facts["images_per_prompt"]
    files = [one["path"] for one in facts["files"] if isinstance(one, Mapping)]
    kept = {
        "name": facts["name"],
        "title": _SHORT.get(facts["name"], facts["title"]),
        "prompts": facts["prompts"],
        "distinct": facts.get("distinct_texts"),
        "sequence_hash": facts.get("text_sequence_sha256"),
        "set_hash": facts.get("text_set_sha256"),
        "ids_hash": facts["prompt_set_hash"],
        "first": facts.get("first_text_hash"),
        "last": facts.get("last_text_hash"),
        "tags": {_column(key): counts for key, counts in facts["tags"].items() if _counts(key)},
        # "5 videos a prompt" is no number of images.
        "images_per_prompt": images if isinstance(images, int) else None,
        "over_77": (facts.get("length") or {}).get("over_77_clip_tokens"),
        "licence": facts["licence"],
        "source": facts["repository"] + (f" {files[0]}" if len(files) == 1 else ""),
        "commit": facts["commit"],
        "arxiv": facts["arxiv"],
    }
    return from_plain(KnownList, kept, source=f"list {facts['name']}")


def _counts(key: str) -> bool:
    return not any(part in key for part in _NOT_OF_PROMPTS)


def _column(key: str) -> str:
    return key.partition(" (")[0]


def as_text(lists: Sequence[KnownList]) -> str:
    """Return the file: a list a line, so that a change of one is a change of one line."""
    lines = [json.dumps(to_plain(one), ensure_ascii=False) for one in lists]
    return '{"lists": [\n' + ",\n".join(lines) + "\n]}\n"


if __name__ == "__main__":
    raise SystemExit(main())
