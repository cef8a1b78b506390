"""Tests of gateway/compress/compact.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.compress.compact import compact

FILL = (
    "The weather was pleasant and people walked along the river during the long afternoon. "
    "Some of them were talking about the food that they had eaten in a small restaurant. "
)
PASSAGE = (
    "The museum opened its doors in a former factory near the harbour. "
    "Visitors enter through a narrow courtyard with old trees. "
    "The director of the museum is a physicist who once designed telescopes. "
    "A small cafe sells coffee and cakes in the basement. "
    "The garden behind the building is closed during the winter months."
)


@pytest.mark.parametrize(
    "kept",
    [
        "1,285,216",
        "34.5%",
        "Mehmet Yilmaz",
        "not refundable",
        "must",
        "unless",
        "darf",
        "jamais",
        "нельзя",
        "`make test`",
        '"a quoted phrase of the author"',
        "«une citation»",
        "https://example.org/a?b=c",
        "user_id",
    ],
)
@pytest.mark.parametrize("rate", [0.3, 0.7])
def test_keeps(kept: str, rate: float) -> None:
    """Numbers, names, negations, modals, code, quotations and addresses stay at any rate."""
    assert kept in compact(f"{FILL}There the {kept} was seen by them. {FILL}", rate)


@pytest.mark.parametrize(
    "line",
    [
        "What is the name of the restaurant?",
        "List the dishes that were eaten there.",
        "Antworte bitte in einem einzigen Satz.",
        "# A heading of some words",
        "| cell | another cell |",
        "    return value(other)",
        "Results of the walk:",
    ],
)
def test_keeps_whole_lines(line: str) -> None:
    """Questions, orders, headings, tables and code are not touched."""
    assert line in compact(f"{FILL}\n{line}\n{FILL}", 0.3).split("\n")


def test_keeps_fenced_code_and_json() -> None:
    """Blocks of code and data stay to the letter."""
    code = "```python\nthe = some + of(the)\n\n\nprint(the)\n```"
    data = '{\n  "the": "words of the",\n  "and": [1, 2]\n}'
    short = compact(f"{FILL}\n{code}\n{FILL}\n{data}\n{FILL}", 0.3)
    assert code in short
    assert data in short


def test_keeps_list_markers() -> None:
    """Each item of a list keeps its marker and a word."""
    words = ("boat", "tree", "dog")
    items = "".join(f"- the {word} which they had seen there\n" for word in words)
    lines = compact(f"{FILL}\n\n{items}\n{FILL}", 0.3).split("\n")
    assert [line.rstrip() for line in lines if line.startswith("- ")] == [
        f"- the {word}" for word in words
    ]


@pytest.mark.parametrize("rate", [0.3, 0.5, 0.7])
def test_meets_the_rate(rate: float) -> None:
    """A text of plain words gets as short as was asked."""
    text = FILL * 10
    assert rate - 0.05 < len(compact(text, rate)) / len(text) <= rate + 0.02


def test_prefers_what_is_asked() -> None:
    """The sentence that has most in common with the question stays whole."""
    ask = "What did the director of the museum do before?"
    answer = "The director of the museum is a physicist who once designed telescopes."
    assert answer in compact(f"{ask}\n\n{PASSAGE}", 0.5)
    assert answer in compact(f"{PASSAGE}\n\n{ask}", 0.5)
    assert answer in compact(PASSAGE, 0.4, ask)
    assert "coffee" not in compact(PASSAGE, 0.4, ask)


def test_drops_clauses_where_no_spaces_are() -> None:
    """Chinese gets shorter by clauses, and keeps the question."""
    ask = "在国际层面，哪个行业的竞争地位受到影响?"
    text = (
        "石油公司寻找新的方法，包括在北极等崎岖的地形，找到石油通常需要很长的时间。"
        "在国际层面，价格上涨改变了许多行业的竞争地位，例如汽车。"
        "宏观经济问题包括通货膨胀和通货紧缩的影响，石油公司还在寻找新的油田。"
    )
    short = compact(f"{text}\n\n{ask}", 0.6)
    assert ask in short
    assert "价格上涨改变了许多行业的竞争地位" in short
    assert len(short) < len(text)


def test_leaves_no_debris() -> None:
    """No empty brackets, lines of spaces or rows of empty lines."""
    text = f"{FILL}(which they liked) and so on.\n    {FILL}\n\n\n\n  {FILL}"
    short = compact(text, 0.3)
    assert "()" not in short
    assert all(line.strip() or not line for line in short.split("\n"))
    assert "\n\n\n" not in short


@given(st.text(max_size=400), st.sampled_from([0.3, 0.5, 0.7]), st.text(max_size=40))
def test_any_text(text: str, rate: float, ask: str) -> None:
    """Never longer, always the same, and no sign that was not there."""
    short = compact(text, rate, ask)
    assert len(short) <= len(text)
    assert short == compact(text, rate, ask)
    assert set(short) <= {*text, " "}


@pytest.mark.parametrize("unit", ["“", "[\n", "不，", "? ", "`", "x; ", "A. ", "\ud800 ", "("])
def test_any_amount(unit: str) -> None:
    """Long texts of one thing come to an end."""
    assert len(compact(unit * 15_000, 0.3)) <= len(unit) * 15_000
