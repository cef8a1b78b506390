"""``switchyard check``."""

from __future__ import annotations

import os
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from gateway.config.problem import ConfigErrors, Problem
from gateway.config.settings import Settings, read_settings
from gateway.scan.likeness import embed
from gateway.scan.policies import compile_content_policies
from gateway.state.master_key import MasterKeyError, decoded

console = Console(soft_wrap=True)  # a problem is one line, also for grep


def settings_or_exit(path: Path | None, environ: dict[str, str] | None = None) -> Settings:
    """The settings of *path*; all problems on the terminal and exit status 1 when there are any."""
    try:
        settings = read_settings(path, dict(os.environ) if environ is None else environ)
        check_scan(settings)
        check_master_keys(settings)
    except ConfigErrors as errors:
        name = str(path) if path is not None else "the environment"
        console.print(f"[bold red]{len(errors.problems)} problem(s)[/] in {escape(name)}:")
        for problem in errors.problems:
            console.print(f"  [bold]{escape(problem.path)}[/]  {escape(problem.message)}")
        raise typer.Exit(1) from None
    return settings


def check_scan(settings: Settings) -> None:
    """
    Compile what the scan needs of the settings.

    Raises:
        ConfigErrors: a content policy is wrong.
    """
    try:
        compile_content_policies(settings.config.scan.policies, embed)
    except ValueError as error:
        raise ConfigErrors([Problem("$.scan.policies", str(error))]) from None


def check_master_keys(settings: Settings) -> None:
    """
    Look at the master keys that are stated.

    Raises:
        ConfigErrors: one is not what it has to be.
    """
    state = settings.state
    stated = {"master_key": state.master_key}
    stated |= {f"old_master_keys[{k}]": one for k, one in enumerate(state.old_master_keys)}
    problems = []
    for name, key in stated.items():
        try:
            _ = None if key is None else decoded(key, "it")
        except MasterKeyError as error:
            problems.append(Problem(f"$.state.{name}", str(error)))
    if problems:
        raise ConfigErrors(problems)


def run(path: Path) -> None:
    """Check one file."""
    settings = settings_or_exit(path)
    fleet = settings.fleet
    simulated = sum(deployment.simulated for deployment in fleet.deployments)
    console.print(
        f"[bold green]ok[/] {escape(str(path))}: {len(fleet.deployments)} deployments "
        f"({simulated} simulated) of {len(fleet.models)} models, "
        f"{len(settings.config.rules)} rules, {len(settings.keys)} keys"
    )
