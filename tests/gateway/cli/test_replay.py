"""``switchyard replay``."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.record.replay import Delta, Report
from gateway.record.store import Store


@pytest.mark.parametrize("given", [True, False])
def test_a_database_that_is_not_there(tmp_path, given):
    """It is an error, whoever names it, and nothing is written."""
    url = f"sqlite:///{tmp_path}/none/records.db"
    config = tmp_path / "c.yaml"
    config.write_text("" if given else f"state: {{database_url: '{url}'}}\n")
    more = ["--database", url] if given else []
    done = CliRunner().invoke(app, ["replay", "--config", str(config), *more])

    assert done.exit_code == 1
    assert "no records yet" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["c.yaml"]


def test_a_database_without_records(tmp_path):
    """An empty one has nothing to change."""
    url = f"sqlite:///{tmp_path}/records.db"
    store = Store(url)
    store.prepare()
    store.close()
    config = tmp_path / "c.yaml"
    config.write_text("")
    done = CliRunner().invoke(app, ["replay", "--config", str(config), "--database", url])

    assert done.exit_code == 0
    assert "0 of 0 decisions would change: +0.00 USD" in done.stdout


def test_not_a_url():
    """What the store says of it, in one line."""
    done = CliRunner().invoke(app, ["replay", "--database", "records.db"], env={})

    assert done.exit_code == 1
    assert "state.database_url" in done.stdout


@pytest.mark.parametrize("nano_usd", [-1, 0, 1])
def test_nothing_has_no_sign(nano_usd):
    """A sum that rounds to nothing is not shown as less than nothing."""
    assert "+0.00 USD" in Report(total=Delta(cost_nano_usd=nano_usd)).summary()
