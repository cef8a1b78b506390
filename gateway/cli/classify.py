"""``switchyard classify``: the classifier over a file, as the gateway uses it, but patient."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.progress import track

from gateway.core.chat import Chat, Role, Text, Turn
from gateway.core.errors import InvalidRequest
from gateway.signals.excerpt import read_excerpt
from gateway.wire import openai_chat
from gateway.wire.decode import decode
from models.classifier import Classifier, load_classifier
from models.options import PATIENT

console = Console(stderr=True)


class Row(msgspec.Struct):
    """One line of the input: an id, and a text or the messages of an OpenAI chat."""

    id: str | int
    text: str | None = None
    messages: msgspec.Raw = msgspec.Raw(b"null")


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


def chat_of(row: Row) -> Chat:
    """
    The chat that a row stands for.

    Raises:
        InvalidRequest: neither text nor messages, or messages that are none.
    """
    if row.text is not None:
        return Chat(model="auto", turns=(Turn(Role.USER, (Text(row.text),)),))
    if bytes(row.messages) == b"null":
        raise InvalidRequest("a row needs text or messages")
    return openai_chat.read(b'{"model":"auto","messages":%b}' % bytes(row.messages))


def run(source: Path, target: Path) -> None:
    """
    Label every row of *source* into *target*, in order. A row that cannot be read gets a line
    with its ``error``, and the exit status is 1.
    """
    try:
        lines = source.read_bytes().splitlines()
    except OSError as error:
        console.print(f"[red]{source}: {error.strerror}[/]")
        raise typer.Exit(2) from None
    classifier = load_classifier(PATIENT)
    console.print(f"classifier: {classifier.describe()}")
    with closing(classifier):
        failed = asyncio.run(_label(lines, target, classifier))
    console.print(f"{len(lines)} rows, {failed} of them unreadable -> {target}")
    if failed:
        raise typer.Exit(1)


async def _label(lines: list[bytes], target: Path, classifier: Classifier) -> int:
    failed = 0
    with target.open("wb") as out:
        for number, line in enumerate(track(lines, "classifying", console=console), start=1):
            try:
                labelled: object = await _row(line, classifier)
            except InvalidRequest as error:
                failed += 1
                labelled = {"line": number, "error": error.message}
            out.write(msgspec.json.encode(labelled) + b"\n")
    return failed


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
