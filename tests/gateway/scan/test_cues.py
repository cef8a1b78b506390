"""Tests of gateway/scan/cues.py."""

from __future__ import annotations

import pytest

from gateway.scan.cues import required


@pytest.mark.parametrize(
    ("regex", "cues"),
    [
        ("ignore", [{"ignore"}]),
        (r"\b(cat|dog)\s+must\b", [{r"\bcat\b", r"\bdog\b"}, {r"\bmust\b"}]),
        (r"\bai\b", [{r"\bai\b"}]),  # two letters tell only as a whole word
        (r"ai", []),
        (r"(please\s+)?stop", [{"stop"}]),  # what may be left out is not certain
        (r"those\s+(old\s+)?rules?", [{r"those\b"}, {r"\brule"}]),
        (r"the\s+rules?", [{r"\brule"}]),  # a common word tells nothing
        (r"\b(do\s+not|never)\s+say", [{r"\bnever\b", r"\bdo\b"}, {r"\bsay"}]),  # nor in a branch
        (r"(\w+\s+){0,3}rules", [{"rules"}]),  # a word may go on before, when nothing stands there
        (r"(foo|[a-z]+)bar", [{"bar"}]),  # one branch without a piece: nothing is certain of it
        (r"(foo){2}", [{"foo"}]),
        (r"a\.b,\s+next", [{r"a\.b,"}, {r"\bnext"}]),
        ("éa|ab\u0301c", [{"éa", "ab\u0301c"}]),
        (r"\d{3}-\d{4}", []),
    ],
)
def test_required(regex: str, cues: list[set[str]]) -> None:
    """Every alternative of a part that must be there gives its longest piece."""
    assert [set(cue) for cue in required(regex)] == cues
