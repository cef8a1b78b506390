"""Commands that read a file of rows and write one line for each."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from gateway.core.errors import InvalidRequest

console = Console(stderr=True, soft_wrap=True)


class Named(msgspec.Struct):
    """The least that can be read of a row."""

    id: str | int


NAMED = msgspec.json.Decoder(Named)


def open_files(
    source: Path, target: Path, stack: ExitStack
) -> tuple[list[tuple[int, bytes]], IO[bytes]]:
    """
    The rows of *source* with their numbers, and *target* for writing; ``-`` is the standard output.

    Raises:
        typer.Exit: a file cannot be opened; the message is on the console.
    """
    try:
        rows = list(rows_of(source.read_bytes()))
        if target == Path("-"):
            return rows, sys.stdout.buffer
        return rows, stack.enter_context(target.open("wb"))
    except OSError as error:
        console.print(f"[red]{escape(f'{error.filename}: {error.strerror}')}[/]")
        raise typer.Exit(2) from None


def rows_of(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that hold something, with their numbers from 1."""
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            yield number, line


async def write_each(
    rows: list[tuple[int, bytes]],
    out: IO[bytes],
    doing: str,
    answer: Callable[[bytes], Awaitable[object]],
) -> int:
    """
    Write the *answer* to every row, in order. A row that cannot be read gets a line with its
    ``error``; how many those were.
    """
    failed = 0
    for number, line in track(rows, doing, console=console):
        try:
            answered = await answer(line)
        except InvalidRequest as error:
            failed += 1
            answered = {**id_of(line), "line": number, "error": error.message}
        out.write(msgspec.json.encode(answered) + b"\n")
    out.flush()
    return failed


def id_of(line: bytes) -> dict[str, str | int]:
    """The id of a row that may have other mistakes, nothing where that is one."""
    try:
        return {"id": NAMED.decode(line).id}
    except msgspec.MsgspecError:
        return {}


def finish(rows: list[tuple[int, bytes]], failed: int, target: Path) -> None:
    """Say what was done. Raises typer.Exit where a row could not be read."""
    console.print(f"{len(rows)} rows, {failed} of them unreadable -> {escape(str(target))}")
    if failed:
        raise typer.Exit(1)
