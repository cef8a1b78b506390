"""``switchyard scan``: the scan over a file, as the gateway does it, but patient."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from gateway.choosing import unsent
from gateway.cli.rows import console, finish, open_files, write_each
from gateway.config.settings import Settings
from gateway.core.chat import Chat, Role, Text, Turn
from gateway.core.clock import SystemClock
from gateway.core.errors import Unscanned
from gateway.core.request import Controls
from gateway.reading import Readers, Scanning
from gateway.scan.scanner import Scanner, load_engines
from gateway.scan.verdict import Verdict
from gateway.signals.read import read_signals
from gateway.wire.decode import decode
from models.classifier import load_classifier
from models.options import PATIENT


class Row(msgspec.Struct):
    """One line of the input."""

    id: str | int
    text: str


class Span(msgspec.Struct):
    """One personal datum or secret; characters of the text, end exclusive."""

    start: int
    end: int
    type: str


class Scanned(msgspec.Struct):
    """One line of the output. *injection* and *kinds* are probabilities, 0 to 1."""

    id: str | int
    safe: bool
    injection: float
    kinds: dict[str, float]
    pii: list[Span]
    policies: list[str]


ROW = msgspec.json.Decoder(Row)


def run(source: Path, target: Path, settings: Settings, sensitivity: str) -> None:
    """
    Scan every row of *source* into *target*, in order; ``-`` is the standard output. A row that
    cannot be read gets a line with its ``error``, and the exit status is 1.
    """
    projects = {name: project.scan for name, project in settings.config.projects.items()}
    scanner = Scanner(load_engines(), settings.config.scan, projects)
    controls = Controls(
        scan_mode="combined", personal_action="allow_with_warning", sensitivity=sensitivity
    )
    with ExitStack() as stack:
        rows, out = open_files(source, target, stack)
        classifier = stack.enter_context(closing(load_classifier(PATIENT)))
        console.print(f"scan: {scanner.describe()}; {classifier.describe()}")
        readers = Readers(classifier, scanner, SystemClock())
        scanned = write_each(rows, out, "scanning", lambda line: _row(line, readers, controls))
        failed = asyncio.run(scanned)
    finish(rows, failed, target)


async def _row(line: bytes, readers: Readers, controls: Controls) -> Scanned:
    row = decode(ROW, line)
    chat = Chat(model="auto", turns=(Turn(Role.USER, (Text(row.text),)),))
    request = unsent(chat, readers.clock, controls)
    scanning = Scanning(readers, request)
    scanning.begin()
    verdict = await scanning.verdict(read_signals(chat, request.kind, None))
    if verdict is None or verdict.missing:
        raise Unscanned(f"Row {row.id} could not be scanned; the log says why.")
    return scanned(row, verdict)


def scanned(row: Row, verdict: Verdict) -> Scanned:
    """The line of *row*."""
    return Scanned(
        id=row.id,
        safe=verdict.safe,
        injection=round(verdict.risk, 4),
        kinds={kind: round(score, 4) for kind, score in verdict.scores.items()},
        pii=[Span(one.start, one.end, one.kind) for one in verdict.personal],
        policies=sorted({one.policy for one in verdict.violations}),
    )
