"""The words for diffusers' training scripts, read back by shlex, a shell and their argparse."""

import argparse
import json
import shlex
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.subset.exports import export


def parsed(words):
    """What a script with diffusers' options makes of its words."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--output_dir", default="out")
    parser.add_argument("--validation_prompts", type=str, default=None, nargs="+")
    return parser.parse_args([*words, "--output_dir", "x"]).validation_prompts


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_text_comes_back_or_is_refused(data, odd_lists, written):
    texts = data.draw(odd_lists)
    made = written(texts, "diffusers")
    assert (made is None) == any(text[:1] == "-" or "\0" in text for text in texts)
    if made is not None:
        assert parsed(shlex.split(made.decode())) == texts


def test_a_shell_gives_them_to_the_script(make_subset, tmp_path):
    texts = ("a cat", 'it\'s "$HOME" `ls` \\ !', " two\nlines\t", "", "日本 {a,b} *", "~ # x; y")
    path = tmp_path / "words.txt"
    path.write_bytes(export(make_subset(*texts), "diffusers"))
    show = f"{sys.executable} -c 'import json,sys; print(json.dumps(sys.argv[1:]))'"
    script = f'eval "{show} $(cat {shlex.quote(str(path))})"'
    ran = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert parsed(json.loads(ran.stdout)) == list(texts)


@pytest.mark.parametrize("text", ["-5 degrees", "--w", "a\0b"])
def test_what_is_no_word_is_refused(make_subset, text):
    with pytest.raises(DataError, match=r'cannot carry prompt "p1".*(starts with "-"|null)'):
        export(make_subset("a cat", text), "diffusers")
