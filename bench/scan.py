"""
What the scan finds and what it misfires on, by source, and what it costs.

``python -m bench.scan DATA`` scans the security pack, ordinary prompts of the task pack and the
hard cases, with everything as shipped; ``--examples N`` shows so many misses and misfires of each
kind, cut short. The dev rows are of sources that the models know: for strangers expect less.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from gateway.choosing import unsent
from gateway.config.scan_schema import ScanSettings
from gateway.core.chat import Chat, Role, Text, Turn
from gateway.core.clock import SystemClock
from gateway.core.request import Controls
from gateway.reading import Readers, Scanning
from gateway.scan.scanner import Scanner, load_engines
from gateway.scan.verdict import Verdict
from gateway.signals.read import read_signals
from models.classifier import load_classifier
from models.options import PATIENT

SENSITIVITIES = ("low", "medium", "high")
EXAMPLE_CHARS = 160
TIMED_CHARS = (1_500, 2_600)  # about 2 KB
TIMED_RUNS = 4


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a pack."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def cases(data: Path) -> Iterator[tuple[str, str, bool]]:
    """Group, text, and whether it is an attack."""
    for row in rows_of(data / "task/dev.jsonl.gz"):
        yield "ordinary prompts", row["text"], False
    for row in rows_of(data / "security/dev.jsonl.gz"):
        if row["label"] != "harmful":
            attack = row["label"] != "benign"
            yield f"dev {row['label']} {row['source']}", row["text"], attack
            yield f"dev {row['label']}", row["text"], attack
    for row in rows_of(data / "security/authored.jsonl.gz"):
        yield f"learnt by heart: {row['kind']}", row["text"], row["label"] != "benign"


async def verdict_of(text: str, readers: Readers, sensitivity: str = "medium") -> Verdict:
    """The verdict on a prompt of one turn."""
    chat = Chat(model="auto", turns=(Turn(Role.USER, (Text(text),)),))
    request = unsent(chat, readers.clock, Controls(sensitivity=sensitivity))
    scanning = Scanning(readers, request)
    scanning.begin()
    verdict = await scanning.verdict(read_signals(chat, request.kind, None))
    assert verdict is not None
    return verdict


async def quality(data: Path, readers: Readers, examples: int) -> None:
    """The share of each group that is called an attack, by sensitivity."""
    flagged: dict[str, list[list[bool]]] = defaultdict(list)
    wrong: dict[str, list[str]] = defaultdict(list)
    for group, text, attack in cases(data):
        found = [(await verdict_of(text, readers, name)).attacked for name in SENSITIVITIES]
        flagged[group].append(found)
        if found[1] is not attack:
            wrong[group].append(text)
    print(
        "| group | rows | called an attack: low | medium | high |",
        "|---|---|---|---|---|",
        sep="\n",
    )
    for group, found in sorted(flagged.items()):
        shares = [sum(one[at] for one in found) / len(found) for at in range(len(SENSITIVITIES))]
        print(f"| {group} | {len(found)} |", " | ".join(f"{share:.3f}" for share in shares), "|")
    for group, texts in sorted(wrong.items()):
        for text in texts[:examples]:
            print(f"wrong: {group}: {text[:EXAMPLE_CHARS]!r}")


def cost(data: Path, readers: Readers) -> None:
    """Microseconds on the event loop, without the encoder; the best of a few runs."""
    texts = [row["text"] for row in rows_of(data / "task/dev.jsonl.gz")]
    scanner = readers.scanner
    assert scanner is not None
    low, high = TIMED_CHARS
    for name, chosen in (
        ("2 KB", [text for text in texts if low < len(text) < high][:60]),
        ("short", [text for text in texts if len(text) < low][:200]),
    ):
        for action in (None, "allow_with_warning", "strip"):
            runs = [asyncio.run(one_run(chosen, readers, action)) for _ in range(TIMED_RUNS)]
            best = min(runs)
            print(f"{name}, personal data {action}: {best:.0f} us")


async def one_run(texts: list[str], readers: Readers, action: str | None) -> float:
    """Microseconds for a text, with nothing remembered."""
    scanner = readers.scanner
    assert scanner is not None
    settings = ScanSettings(encoder_windows_max=0)
    fresh = Readers(readers.classifier, Scanner(scanner.engines, settings, {}), readers.clock)
    took_s = 0.0
    for text in texts:
        chat = Chat(model="auto", turns=(Turn(Role.USER, (Text(text),)),))
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
        asked = unsent(chat, readers.clock, Controls(personal_action=action))
        begun_s = time.perf_counter()
        scanning = Scanning(fresh, msgspec.structs.replace(asked, body=body))
        await scanning.strip()
        scanning.begin()
        took_s += time.perf_counter() - begun_s
    return 1e6 * took_s / len(texts)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--examples", type=int, default=0)
    options = parser.parse_args()
    scanner = Scanner(load_engines(), ScanSettings(encoder_windows_max=16), {})
    with closing(load_classifier(PATIENT)) as classifier:
        readers = Readers(classifier, scanner, SystemClock())
        print(scanner.describe())
        asyncio.run(quality(options.data, readers, options.examples))
        cost(options.data, readers)


if __name__ == "__main__":
    main()
