"""The tiny models are the same for the same seed, and small."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("make.py")


def _hashes(folder):
    files = [path for path in sorted(folder.rglob("*")) if path.suffix == ".safetensors"]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(tiny_models, tmp_path):
    folder = tiny_models["sd"].parent
    command = [sys.executable, SCRIPT, tmp_path, "--only", "sd", "gan", "clip"]
    subprocess.run(command, check=True, capture_output=True)
    made, known = _hashes(tmp_path), _hashes(folder)
    assert len(made) >= 5
    assert made == {name: known[name] for name in made}


def test_they_are_small(tiny_models):
    files = [path for path in tiny_models["sd"].parent.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 10_000_000
