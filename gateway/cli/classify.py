"""``switchyard classify``: the classifier over a file, as the gateway uses it, but patient."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from gateway.core.chat import Chat, Role, Text, Turn
from gateway.core.errors import InvalidRequest
from gateway.signals.excerpt import read_excerpt
from gateway.wire import openai_chat
from gateway.wire.decode import decode
from models.classifier import Classifier, load_classifier
from models.options import PATIENT

console = Console(stderr=True, soft_wrap=True)


class Row(msgspec.Struct):
    """One line of the input: an id, and a text or the messages of an OpenAI chat."""

    id: str | int
    text: str | None = None
    messages: msgspec.Raw = msgspec.Raw(b"null")


class Named(msgspec.Struct):
    """The least that can be read of a row."""

    id: str | int


class Labelled(msgspec.Struct):
    """One line of the output. *strong_need* is null where no encoder has read the prompt."""

    id: str | int
    task_type: str
    confidence: float
    complexity: float
    tier: str
    stage: str
    strong_need: float | None


ROW = msgspec.json.Decoder(Row)
NAMED = msgspec.json.Decoder(Named)


def chat_of(row: Row) -> Chat:
    """
    The chat that a row stands for.

    Raises:
        InvalidRequest: not one of text and messages, or messages that are none.
    """
    told = bytes(row.messages) != b"null"
    if (row.text is not None) == told:
        raise InvalidRequest("a row needs text or messages, and not both")
    if row.text is not None:
        return Chat(model="auto", turns=(Turn(Role.USER, (Text(row.text),)),))
    return openai_chat.read(b'{"model":"auto","messages":%b}' % bytes(row.messages))


def run(source: Path, target: Path) -> None:
    """
    Label every row of *source* into *target*, in order; ``-`` is the standard output. A row that
    cannot be read gets a line with its ``error``, and the exit status is 1.
    """
    with ExitStack() as stack:
        try:
            rows = list(rows_of(source.read_bytes()))
            to_terminal = target == Path("-")
            out = sys.stdout.buffer if to_terminal else stack.enter_context(target.open("wb"))
        except OSError as error:
            console.print(f"[red]{escape(f'{error.filename}: {error.strerror}')}[/]")
            raise typer.Exit(2) from None
        classifier = stack.enter_context(closing(load_classifier(PATIENT)))
        console.print(f"classifier: {classifier.describe()}")
        failed = asyncio.run(_label(rows, out, classifier))
        out.flush()
    console.print(f"{len(rows)} rows, {failed} of them unreadable -> {escape(str(target))}")
    if failed:
        raise typer.Exit(1)


def rows_of(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that hold something, with their numbers from 1."""
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            yield number, line


async def _label(rows: list[tuple[int, bytes]], out: IO[bytes], classifier: Classifier) -> int:
    failed = 0
    for number, line in track(rows, "classifying", console=console):
        try:
            labelled: object = await _row(line, classifier)
        except InvalidRequest as error:
            failed += 1
            labelled = {**_id_of(line), "line": number, "error": error.message}
        out.write(msgspec.json.encode(labelled) + b"\n")
    return failed


def _id_of(line: bytes) -> dict[str, str | int]:
    """The id of a row that may have other mistakes, nothing where that is one."""
    try:
        return {"id": NAMED.decode(line).id}
    except msgspec.MsgspecError:
        return {}


async def _row(line: bytes, classifier: Classifier) -> Labelled:
    row = decode(ROW, line)
    scores = await classifier.submit(read_excerpt(chat_of(row)).text)
    return Labelled(
        id=row.id,
        task_type=scores.task_type,
        confidence=round(scores.confidence, 4),
        complexity=round(scores.complexity, 4),
        tier=scores.tier,
        stage=scores.stage,
        strong_need=None if scores.strong_need is None else round(scores.strong_need, 4),
    )
