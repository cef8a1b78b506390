"""``switchyard savings``: the bill with and without routing."""

from __future__ import annotations

import time
from importlib import import_module

import pytest
import typer

from gateway.cli.savings import Source, run, usd
from gateway.record.rows import Batch, record_row
from gateway.record.store import Store
from tests.gateway.decide.samples import question, scores
from tests.gateway.record.records import make_record

savings = import_module("gateway.cli.savings")  # the package has a command of this name


@pytest.fixture
def printed(monkeypatch, tmp_path):
    """What the command prints, in one line, run on a configuration of its own."""
    monkeypatch.setattr(savings, "console", savings.Console(width=200, force_terminal=False))
    config = tmp_path / "c.yaml"
    config.write_text(f"state: {{database_url: 'sqlite:///{tmp_path}/records.db'}}\n")

    def call(source, baseline=None):
        code = 0
        with savings.console.capture() as captured:
            try:
                run(config, source, baseline)
            except typer.Exit as left:
                code = left.exit_code
        return code, captured.get()

    return call


def test_a_mix(printed):
    """Tables by model, tier and task, and the sum with the fee."""
    code, said = printed(Source(mix="general"))

    assert code == 0
    assert "100000 requests" in said
    assert "fee" in said
    for heading in ("by model that answers", "by tier", "by task type"):
        assert heading in said


def test_another_baseline(printed):
    """What was a premium model's bill is a smaller one's."""
    _, dear = printed(Source(mix="code-assistant"))
    _, cheap = printed(Source(mix="code-assistant"), "claude-sonnet-5-5")

    assert "gpt-4" in dear
    assert "gpt-4 " not in cheap
    assert "claude-sonnet-5-5" in cheap


def test_a_file_of_prompts(printed, tmp_path):
    """Each is classified as the gateway would."""
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"id": 1, "text": "What is the capital of France?"}\n\n')
    code, said = printed(Source(file=path))

    assert code == 0
    assert "1 requests" in said
    assert "not classified" not in said


def test_records(printed, tmp_path):
    """The newest of the database; what was never classified is counted apart."""
    store = Store(f"sqlite:///{tmp_path}/records.db")
    store.prepare()
    asked = question("gpt-4")
    now_s = time.time()
    records = [
        make_record(1, question=asked, scores=scores(), wall_s=now_s - 5),
        make_record(2, question=asked, scores=scores(stage="off"), wall_s=now_s - 4),
    ]
    store.write(Batch(records=[record_row(one) for one in records]))
    store.close()
    code, said = printed(Source())

    assert code == 0
    assert "1 requests" in said
    assert "1 more were not classified" in said
    assert "1 requests" in printed(Source(limit=2), "claude-sonnet-5-5")[1]


@pytest.mark.parametrize(
    ("source", "baseline", "code", "message"),
    [
        (Source(), None, 1, "There are no records yet"),
        (Source(mix="lost"), None, 1, "no mix is called 'lost'"),
        (Source(mix="general"), "gpt-99", 1, "no price of 'gpt-99'"),
        (Source(file="{}/none.jsonl"), None, 2, "No such file"),
        (Source(file="{}/bad.jsonl"), None, 1, "bad.jsonl, line 2: a row needs text or messages"),
    ],
)
def test_mistakes(printed, tmp_path, source, baseline, code, message):
    """One line that says what is wrong."""
    (tmp_path / "bad.jsonl").write_text('{"id": 1, "text": "hello there"}\n{"id": 2}\n')
    if source.file:
        source = Source(file=tmp_path / source.file.removeprefix("{}/"))
    exit_code, said = printed(source, baseline)

    assert exit_code == code
    assert message in said.replace("\n", "")


def test_refused_requests_are_told(printed, monkeypatch):
    """They are in no sum."""
    monkeypatch.setattr(savings, "calculate", lambda *_: savings.Savings(refused=3))

    assert "3 more no model may answer" in printed(Source(mix="general"))[1]


@pytest.mark.parametrize(
    ("amount", "shown"), [(0, "0"), (1_200, "0.0000012"), (12_345_678_901, "12.35")]
)
def test_amounts(amount, shown):
    """Cents for much, every digit for little."""
    assert usd(amount) == shown
