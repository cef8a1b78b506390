"""``switchyard classify``."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gateway.cli import app

GOOD = {"id": "a", "text": "Summarize this in one line."}
CHAT = {"id": 2, "messages": [{"role": "user", "content": "Write a haiku."}]}


@pytest.fixture
def classify(tmp_path):
    """Labels *lines*; returns how the command ended, and the rows of its output."""

    def run(*lines: str, target: str | None = None):
        source, made = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
        source.write_text("\n".join(lines))
        output = target or str(made)
        done = CliRunner().invoke(app, ["classify", "--input", str(source), "--output", output])
        rows = made.read_text().splitlines() if made.exists() else done.stdout.splitlines()
        return done, [json.loads(row) for row in rows if row.startswith("{")]

    return run


def test_every_row_gets_its_labels(classify):
    """In order, whatever is written of it; blank lines are none."""
    done, rows = classify(json.dumps(GOOD), "", "  ", json.dumps(CHAT), "")

    assert done.exit_code == 0
    assert [row["id"] for row in rows] == ["a", 2]
    assert {"task_type", "confidence", "complexity", "tier", "stage"} <= rows[0].keys()


@pytest.mark.parametrize(
    ("line", "id_"),
    [
        (json.dumps({**GOOD, **CHAT}), 2),
        ('{"id": "x"}', "x"),
        ('{"id": "x", "text": 3}', "x"),
        ('{"text": "no id"}', None),
        ("{", None),
    ],
)
def test_a_row_that_cannot_be_read(classify, line, id_):
    """It keeps its place, its id where there is one, and the others are labelled."""
    done, rows = classify("", line, json.dumps(GOOD))

    assert done.exit_code == 1
    assert rows[0]["line"] == 2
    assert rows[0].get("id") == id_
    assert rows[0]["error"]
    assert rows[1]["id"] == "a"


def test_to_the_terminal(classify):
    """A dash is the standard output."""
    done, rows = classify(json.dumps(GOOD), target="-")

    assert done.exit_code == 0
    assert [row["id"] for row in rows] == ["a"]


@pytest.mark.parametrize("missing", ["input", "output"])
def test_a_file_that_cannot_be_opened(tmp_path, missing):
    """One line that names it, and exit status 2."""
    source, nowhere = tmp_path / "in.jsonl", str(tmp_path / "none" / "file")
    source.write_text(json.dumps(GOOD))
    paths = {"input": str(source), "output": str(tmp_path / "out.jsonl"), missing: nowhere}
    done = CliRunner().invoke(
        app, ["classify", "--input", paths["input"], "--output", paths["output"]]
    )

    assert done.exit_code == 2
    assert "No such file" in done.stderr
    assert isinstance(done.exception, SystemExit)
