"""``switchyard classify``: the classifier over a file, as the gateway uses it, but patient."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from gateway.cli.rows import console, finish, open_files, write_each
from gateway.core.chat import Chat, Role, Text, Turn
from gateway.core.errors import InvalidRequest
from gateway.signals.excerpt import read_excerpt
from gateway.wire import openai_chat
from gateway.wire.decode import decode
from models.classifier import Classifier, load_classifier
from models.options import PATIENT


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
        rows, out = open_files(source, target, stack)
        classifier = stack.enter_context(closing(load_classifier(PATIENT)))
        console.print(f"classifier: {classifier.describe()}")
        labelled = write_each(rows, out, "classifying", lambda line: _row(line, classifier))
        failed = asyncio.run(labelled)
    finish(rows, failed, target)


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
