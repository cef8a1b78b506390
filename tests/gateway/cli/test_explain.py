"""``switchyard explain``."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.explain import words_of
from gateway.core.fleet import Capability

PROMPT = "Summarize this in one line: Rome was not built in a day."


def test_the_verdict_comes_last():
    """After the first candidates and how many more there are, in lines of 80 columns."""
    done = CliRunner().invoke(app, ["explain", PROMPT])
    lines = done.stdout.splitlines()
    tail = "\n".join(lines[-5:])

    assert done.exit_code == 0
    assert "--all shows them" in tail
    assert "estimated" in tail
    assert tail.index("--all") < tail.index("estimated")
    assert max(len(line) for line in lines) <= 80
    assert "│ needs         │ chat " in done.stdout


def test_all_of_them():
    """Every candidate on demand, and then none is left to be counted."""
    few = CliRunner().invoke(app, ["explain", PROMPT]).stdout
    every = CliRunner().invoke(app, ["explain", PROMPT, "--all"]).stdout

    assert len(every.splitlines()) > len(few.splitlines())
    assert "--all" not in every


@pytest.mark.parametrize(
    ("more", "word"), [(["--model", "gpt-44"], "gpt-44"), (["--mode", "ecoo"], "ecoo")]
)
def test_what_nobody_knows(more, word):
    """A name of nothing is an error in words."""
    done = CliRunner().invoke(app, ["explain", PROMPT, *more])

    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert word in done.stdout


def test_needs_are_words():
    """No bits."""
    assert words_of(Capability.CHAT | Capability.TOOLS) == "tools, chat"
