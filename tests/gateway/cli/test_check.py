"""``switchyard check``."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from gateway.cli import app

EXAMPLE = Path(__file__).parents[3] / "deploy" / "switchyard.yaml"


def test_ok_is_one_line(monkeypatch):
    """Counts of what the file comes to, and exit status 0."""
    monkeypatch.setenv("SWITCHYARD_KEY", "key-1")
    done = CliRunner().invoke(app, ["check", str(EXAMPLE)])

    assert done.exit_code == 0
    assert done.stdout.startswith("ok ")
    assert done.stdout.count("\n") == 1


def test_every_problem_is_one_line(tmp_path):
    """Piped output is not wrapped, however long a message is."""
    path = tmp_path / "c.yaml"
    path.write_text("server: {host: 0.0.0.0}\nmodels: {m: {class: best}}\n")
    done = CliRunner().invoke(app, ["check", str(path)])
    first, *problems = done.stdout.splitlines()

    assert done.exit_code == 1
    assert first.startswith(f"{len(problems)} problem(s)")
    assert all(line.startswith("  $.") for line in problems)
    assert max(len(line) for line in problems) > 80


def test_a_master_key_that_is_none(tmp_path, monkeypatch):
    """It is found here, and not only at the start."""
    monkeypatch.setenv("MASTER", "short")
    path = tmp_path / "c.yaml"
    path.write_text('state: {master_key: "env:MASTER", old_master_keys: ["env:MASTER"]}\n')
    done = CliRunner().invoke(app, ["check", str(path)])

    assert done.exit_code == 1
    assert "$.state.master_key  it is not 32 bytes as base64" in done.stdout
    assert "$.state.old_master_keys[0]" in done.stdout
    assert "short" not in done.stdout
