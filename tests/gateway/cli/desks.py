"""Commands on a database of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from gateway.cli import app

CONFIG = """
simulation: {{enabled: "off"}}
providers: {{openai: {{simulated: true}}, anthropic: {{simulated: true}}}}
state: {{database_url: "sqlite:///{folder}/switchyard.db"}}
"""


class Terminal:
    """Runs commands with a configuration in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "switchyard.yaml"
        self.config.write_text(CONFIG.format(folder=folder))

    def run(
        self, *words: str, status: int = 0, said: str | None = None, columns: int = 200
    ) -> Result:
        """The result of ``switchyard`` *words*, which is to exit with *status*."""
        environ = {"SWITCHYARD_CONFIG": str(self.config), "COLUMNS": str(columns)}
        result = CliRunner().invoke(app, list(words), input=said, env=environ)
        assert result.exit_code == status, result.output
        return result

    def json(self, *words: str) -> Any:
        """What a command says to machines."""
        return json.loads(self.run(*words, "--json").stdout)
