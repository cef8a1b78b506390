"""Files of an operator, read as what they should be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypeVar

import msgspec
import typer

from gateway.cli.at_desk import errors
from gateway.config.problem import ConfigErrors
from gateway.config.yaml_tree import parse

T = TypeVar("T")
STANDARD_INPUT = Path("-")


def read_as(path: Path, kind: type[T]) -> T:
    """
    What the YAML or JSON file *path* says, ``-`` for the standard input; an empty file is an
    empty list.

    Raises:
        typer.Exit: it cannot be read as *kind*; the mistakes are on the console.
    """
    try:
        text = sys.stdin.read() if path == STANDARD_INPUT else path.read_text("utf-8")
        tree, problems = parse(text)
        value = msgspec.convert(tree or [], kind)
    except (OSError, ConfigErrors, msgspec.ValidationError) as error:
        errors.print(f"{path}: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    for problem in problems:
        errors.print(f"{path}: {problem.path}: {problem.message}", style="red", markup=False)
    if problems:
        raise typer.Exit(1)
    return value
