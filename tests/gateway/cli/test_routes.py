"""``switchyard routes``: the operator's figures in a terminal."""

from __future__ import annotations

import time
from importlib import import_module

import pytest
import typer

from gateway.cli.routes import run
from gateway.core.outcome import Ending
from gateway.record.record import Feedback
from gateway.record.rows import Batch, feedback_row, record_row
from gateway.record.store import Store
from tests.gateway.record.records import make_outcome, make_record

routes = import_module("gateway.cli.routes")  # the package has a command of this name


@pytest.fixture
def printed(monkeypatch, tmp_path):
    """What the command prints, run on a configuration of its own."""
    monkeypatch.setattr(routes, "console", routes.Console(width=200, force_terminal=False))
    config = tmp_path / "c.yaml"
    config.write_text(f"state: {{database_url: 'sqlite:///{tmp_path}/records.db'}}\n")

    def call(by="model", database=None):
        code = 0
        with routes.console.capture() as captured:
            try:
                run(config, by=by, hours=1.0, limit=100, database=database)
            except typer.Exit as left:
                code = left.exit_code
        return code, captured.get()

    return call


def fill(folder, judged):
    """Two answers of one model and a failure, and feedback on the first where *judged*."""
    store = Store(f"sqlite:///{folder}/records.db")
    store.prepare()
    now_s = time.time()
    failed = make_outcome(ending=Ending.FAILED)
    records = [make_record(i, wall_s=now_s - 10 + i) for i in range(2)]
    records.append(make_record(2, wall_s=now_s - 5, model="", outcome=failed))
    said = [feedback_row(Feedback("req_0", 0.75, now_s, "k"))] if judged else []
    store.write(Batch(records=[record_row(one) for one in records], feedback=said))
    store.close()


def test_figures_and_hit_rates(printed, tmp_path):
    """One row a model, one a model and task."""
    fill(tmp_path, judged=True)
    code, said = printed()
    rows = {line.split()[1]: line.split() for line in said.splitlines() if line.startswith("│")}

    assert code == 0
    assert rows["small"][-2] == "75.0%"  # the last table
    assert "0.0011" in said
    assert "100.0%" in next(line for line in said.splitlines() if line.startswith("│ none"))


def test_without_feedback(printed, tmp_path):
    """There is no second table."""
    fill(tmp_path, judged=False)
    code, said = printed("tier")

    assert (code, "hit rates" in said) == (0, False)


@pytest.mark.parametrize(
    ("by", "database", "code", "message"),
    [
        ("colour", None, 2, "--by is one of mode, tier, task, model, rule"),
        ("model", None, 1, "There are no records yet"),
        ("model", "mysql://h/d", 1, "mysql is not sqlite or postgresql"),
    ],
)
def test_mistakes(printed, by, database, code, message):
    """One line that says what is wrong."""
    exit_code, said = printed(by, database)

    assert exit_code == code
    assert message in said
