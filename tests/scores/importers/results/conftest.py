import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[Mapping[str, Any]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A function: write({path: content}) -> the folder; .jsonl takes a list of records."""

    def write(files: Mapping[str, Any]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not isinstance(content, str):
                lines = name.endswith(".jsonl")
                content = "\n".join(map(json.dumps, content)) if lines else json.dumps(content)
            path.write_text(content, encoding="utf-8")
        return tmp_path

    return write
