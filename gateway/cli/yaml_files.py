"""Files of an operator, read as what they should be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypeVar

import msgspec
import typer

from gateway.cli.at_desk import errors
from gateway.config.decode import mistakes
from gateway.config.problem import ConfigErrors, Problem
from gateway.config.yaml_tree import parse

T = TypeVar("T")
STANDARD_INPUT = Path("-")


def read_as(path: Path, kind: type[T], **defaults: object) -> T:
    """
    What the YAML or JSON file *path* says, ``-`` for the standard input, and *defaults* what it
    leaves out; an empty file is an empty list.

    Raises:
        typer.Exit: it cannot be read as *kind*; the mistakes are on the console.
    """
    try:
        text = sys.stdin.read() if path == STANDARD_INPUT else path.read_text("utf-8")
        tree, problems = parse(text)
    except (OSError, UnicodeDecodeError, ConfigErrors) as error:
        errors.print(
            f"{path}: {getattr(error, 'strerror', None) or error}", style="red", markup=False
        )
        raise typer.Exit(1) from None
    if defaults and not tree:
        errors.print(f"{path}: there is nothing in it", style="red", markup=False)
        raise typer.Exit(1)
    tree = defaults | tree if isinstance(tree, dict) else [] if tree is None else tree
    try:
        value = msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        problems += mistakes(tree, kind) or [Problem("$", str(error))]
    for problem in problems:
        errors.print(f"{path}: {problem.path}: {problem.message}", style="red", markup=False)
    if problems:
        raise typer.Exit(1)
    return value
