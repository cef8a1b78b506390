"""``switchyard serve`` before and at its start."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from gateway.app import App
from gateway.cli import app
from gateway.cli.serve import greet
from gateway.config.settings import read_settings


def test_an_unknown_database_is_one_line(tmp_path):
    """No traceback: what is wrong, and exit status 1."""
    path = tmp_path / "c.yaml"
    path.write_text("state: {database_url: 'mssql://db/records'}\n")
    done = CliRunner().invoke(app, ["serve", "--config", str(path), "--port", "0"])

    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert done.stdout.startswith("Cannot start: state.database_url: mssql")
    assert done.stdout.count("\n") == 1


def test_a_port_in_use_is_one_line(monkeypatch):
    """The system's own words."""

    async def start(self: App) -> tuple[str, int]:
        raise OSError(98, "address already in use")

    monkeypatch.setattr(App, "start", start)
    done = CliRunner().invoke(app, ["serve", "--port", "0"])

    assert done.exit_code == 1
    assert done.stdout == "Cannot start: [Errno 98] address already in use\n"


@pytest.mark.parametrize(
    ("keys", "shown"), [("", False), ("keys: [{id: a, secret: env:A}]\n", True)]
)
def test_the_greeting_says_how_to_call(tmp_path, capsys, keys, shown):
    """Where keys are configured the command line that is shown sends one, never the key itself."""
    path = tmp_path / "c.yaml"
    path.write_text(keys)
    greet(read_settings(path, {"A": "key-a"}), "127.0.0.1", 8080, "first stage")
    text = capsys.readouterr().out

    assert "curl -i http://127.0.0.1:8080/v1/chat/completions" in text
    assert ("Authorization: Bearer $SWITCHYARD_KEY" in text) is shown
    assert "key-a" not in text
