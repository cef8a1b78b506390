"""The grain of the code: files and functions that fit on a page, each with a docstring."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for package in ("gateway", "kernels", "models", "bench")
    for path in (ROOT / package).rglob("*.py")
)
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
POSITIONAL_MAX = 5  # outside kernels, whose arguments are arrays


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_is_small_and_says_what_it_is(path):
    """A file is short, opens with a docstring, and so are and do its public functions."""
    source = path.read_text()
    tree = ast.parse(source)
    problems = []
    if len(source.splitlines()) > FILE_LINES_MAX:
        problems.append(f"{len(source.splitlines())} lines")
    if source.strip() and ast.get_docstring(tree) is None:
        problems.append("no docstring")
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES_MAX and not is_kernel(node):
            problems.append(f"{node.name}: {lines} lines")
        if not is_kernel(node) and len(node.args.args) > POSITIONAL_MAX + 1:
            problems.append(f"{node.name}: {len(node.args.args)} positional parameters")

    assert problems == []


def is_kernel(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether *node* is compiled: its docstring and its arrays make it longer."""
    return any(
        isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "kernel"
        for mark in node.decorator_list
    )
