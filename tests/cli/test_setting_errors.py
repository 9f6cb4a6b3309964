import pytest

from flasheval.cli.setting_errors import quoted, setting_mistake, unknown_key


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("scores=a b.csv", 'scores="a b.csv"'),
        ('scores=a"b', 'scores="a\\"b"'),
        ("splits=value:precision=_6,_8", 'splits="value:precision=_6,_8"'),
        ("path", None),
        ("scores=C:\\x (1)\\", 'scores="C:\\x (1)\\\\"'),
        ("scores=a\\\\b", 'scores="a\\\\b"'),
        ('scores="a', None),
        ("nested=[1,", None),
        ("a b=c", None),
    ],
)
def test_a_value_gets_quotes_where_they_can_help(word: str, expected: str | None) -> None:
    assert quoted(word) == expected


@pytest.mark.parametrize(
    "value", ["a (b)", "a=b,c", 'say "x"', "a:{b", "~x", "50%(", "é(ü", "(\\", '\\"\\\\', "\\\\a"]
)
def test_a_quoted_value_reads_back(value: str) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    word = quoted(f"scores={value}")
    assert word is not None
    assert OverridesParser.create().parse_override(word).value() == value


def test_an_unknown_key_gets_the_nearest_or_all() -> None:
    many = [f"key{i}" for i in range(20)]
    assert unknown_key("kye3", many) == "kye3 is not a key; did you mean 'key3'?"
    assert unknown_key("zzz", ["a", "b"]) == "zzz is not a key; there are: a, b"
    assert unknown_key("method.x", [], "method random") == (
        "method random has no setting x; it has none"
    )


def test_whatever_else_comes_is_one_line() -> None:
    error = ValueError("first\n    full_key: x\n\nsecond\nSee https://example.org for details")
    assert setting_mistake(error) == "first second"
    assert setting_mistake(ValueError()) == "ValueError"


def test_a_new_option_of_an_executor_has_a_plus() -> None:
    line = unknown_key("executor.options.slurm_qos", [])
    assert line.endswith("yet; add it by +executor.options.slurm_qos=VALUE")
