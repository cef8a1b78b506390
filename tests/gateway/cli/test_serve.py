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


@pytest.mark.parametrize("unlocked", [False, True])
def test_the_greeting_says_how_to_call(tmp_path, capsys, unlocked):
    """Where a key is needed the command line that is shown sends one; else it says who may call."""
    path = tmp_path / "c.yaml"
    path.write_text("")
    settings = read_settings(path, {})
    greet(settings, "127.0.0.1", 8080, "first stage", unlocked=unlocked)
    text = capsys.readouterr().out

    assert "curl -i http://127.0.0.1:8080/v1/chat/completions" in text
    assert ("Authorization: Bearer $SWITCHYARD_KEY" in text) is not unlocked
    assert ("everybody on this machine may call" in text) is unlocked


@pytest.mark.parametrize("made", [False, True])
def test_the_greeting_knows_the_keys_of_the_database(tmp_path, capsys, monkeypatch, made):
    """Not only those of the file: what it says of the door is what a request would find."""
    path = tmp_path / "c.yaml"
    path.write_text(f"""
providers: {{openai: {{simulated: true}}}}
classifier: {{enabled: false}}
scan: {{enabled: false}}
server: {{port: 0}}
state: {{folder: {tmp_path}, database_url: "sqlite:///{tmp_path}/records.db"}}
""")

    async def stopped(self: App) -> None:
        await self.stop()

    monkeypatch.setattr(App, "run", stopped)
    if made:
        told = CliRunner().invoke(app, ["keys", "create", "--config", str(path)])
        assert told.exit_code == 0, told.output
    capsys.readouterr()
    told = CliRunner().invoke(app, ["serve", "--config", str(path)])

    assert told.exit_code == 0, told.output
    assert ("everybody on this machine may call" in told.stdout) is not made
