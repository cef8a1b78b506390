"""YAML as plain values."""

from __future__ import annotations

import pytest

from gateway.config.problem import ConfigErrors, Problem
from gateway.config.yaml_tree import child, parse


def grown(n):
    """A list of ten lists of ten lists ... in *n* lines."""
    lists = (f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, n))
    return "\n".join(("a0: &a0 x", *lists))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),  # YAML 1.1 would say True
        ("no", "no"),
        ("true", True),
        ("False", False),
        ("2026-11-25", "2026-11-25"),
        ("1e-3", 0.001),
        ("10:30", "10:30"),  # 1.1: 630
        ("007", 7),
        ("010", 10),  # 1.1: 8
        ("08", 8),
        ("-3", -3),
        ("2.5", 2.5),
        (".5", 0.5),
        ("~", None),
        ("", None),
        ("'7'", "7"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_parse_reads_scalars_without_surprise(text, value):
    """Words stay words: only true and false are truth values, and dates are text."""
    tree, problems = parse(f"a: {text}")

    assert tree == {"a": value}
    assert type(tree["a"]) is type(value)
    assert problems == []


def test_parse_reads_lists_mappings_and_merges():
    """Anchors and merge keys work; a key of one's own wins over a merged one."""
    text = "base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}\nlist: [1, {z: [2]}]"

    assert parse(text)[0] == {
        "base": {"x": 1, "y": 2},
        "more": {"x": 1, "y": 3},
        "list": [1, {"z": [2]}],
    }


def test_parse_of_nothing():
    """An empty file is no value."""
    assert parse("# only a comment\n") == (None, [])


def test_parse_finds_every_duplicate_key():
    """Two values for one setting are a mistake, with both lines; the last counts."""
    tree, problems = parse("a: 1\nb: {c: 1,\n  c: 2}\nd: [{e: 1, e: 2}]\na: 3\n")

    assert tree == {"a": 3, "b": {"c": 2}, "d": [{"e": 2}]}
    assert problems == [
        Problem("$.a", "given twice, on lines 1 and 5"),
        Problem("$.b.c", "given twice, on lines 2 and 3"),
        Problem("$.d[0].e", "given twice, on lines 4 and 4"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: [1,\nb: 2",
            "not YAML: line 2, column 5: while parsing a flow sequence, "
            "expected ',' or ']', but got '<stream end>'",
        ),
        ("a: *x", "not YAML: line 1, column 4: found undefined alias 'x'"),
        (
            "a: 1\n b: 2",
            "not YAML: line 2, column 3: mapping values are not allowed here",
        ),
        (
            "a: !!python/object x",
            "not YAML: line 1, column 4: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object'",
        ),
        ("a: \x00", "not YAML: unacceptable character #x0000: special characters are not allowed"),
        ("[" * 3000, "not YAML: nested too deeply"),
        (grown(11), "more than 200000 values"),
    ],
)
def test_parse_says_where_the_syntax_breaks(text, message):
    """A syntax error names its line and column."""
    with pytest.raises(ConfigErrors) as caught:
        parse(text)

    assert caught.value.problems == (Problem("$", message),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!!int x", "line 2: no int"),
        ("!!float x", "line 2: no float"),
        ("!!bool maybe", "line 2: no bool"),
        ("!!timestamp x", "line 2: no timestamp"),
        ("9" * 5000, "line 2: no int"),
    ],
)
def test_parse_says_which_value_is_not_what_its_tag_says(text, message):
    """A tag of the writer's own, or a number too long to read."""
    with pytest.raises(ConfigErrors) as caught:
        parse(f"a:\n  b: {text}")

    assert caught.value.problems == (Problem("$.a.b", message),)


@pytest.mark.parametrize(
    ("name", "path"), [("eco", "$.eco"), ("a-b", "$.a-b"), ("gpt-4.1", "$['gpt-4.1']")]
)
def test_child_quotes_what_a_dot_would_split(name, path):
    """A path can be read back."""
    assert child("$", name) == path
