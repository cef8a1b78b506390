"""The rows that the security heads learn from: attacks, innocent texts, documents with orders."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from models.train.data import read_lines

# In the order of heads.ATTACKS. None: the label does not say, for the kinds overlap by nature.
NO_ATTACK = (0.0, 0.0, 0.0, 0.0, 0.0)
TARGETS: dict[str, tuple[float | None, ...]] = {
    "benign": NO_ATTACK,
    "injection": (1.0, None, None, None, None),
    "jailbreak": (None, 1.0, 0.0, None, None),
    "extraction": (None, 0.0, 1.0, 0.0, None),
    "harmful": (0.0, 0.0, 0.0, 1.0, None),
}
PLANTED = (1.0, None, None, None, 1.0)
INDIRECT_SOURCES = ("injecagent",)
# Rows of a source and label; a template teaches little after some hundred rows.
ROWS_MAX = {"neuralchemy": 1_100, "wildguard-train": 600}
ROWS_MAX_ELSE = 260
AUTHORED_COPIES = 4
DOCUMENTS = 1_800  # composed: a third as they are, a third with an attack, a third with an ask
PASSAGE_CHARS = (110, 380)  # so that document and order fit into one window
ORDER_CHARS_MAX = 220
WINDOW_CHARS = 520  # of a long text, about what one pass reads
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")

Row = tuple[str, str, tuple[float | None, ...]]  # text, source, targets


def read_attacks(
    folder: Path,
    passages: list[str],
    asks: list[str],
    draw: Random,
    without: frozenset[str] = frozenset(),
) -> list[Row]:
    """
    All rows but those of the sources *without*, in an order drawn from *draw*. *asks* are innocent
    where a person asks them.
    """
    rows = [*public(folder, draw), *authored(folder)]
    rows = [row for row in rows if row[1] not in without]
    orders = [text for text, _, at in rows if at[0] == 1.0 and len(text) <= ORDER_CHARS_MAX]
    rows += documents(passages, orders, asks, draw)
    draw.shuffle(rows)
    return rows


def dev_attacks(folder: Path) -> list[Row]:
    """
    Rows that nothing learns from, for calibration: those of the dev split, its texts cut to one
    window, innocent prompts, and documents composed of both.
    """
    draw = Random(11)  # noqa: S311
    rows: list[Row] = [
        (row["text"][:WINDOW_CHARS], f"security-{row['source']}", targets_of(row))
        for row in read_lines(folder / "security/dev.jsonl.gz")
    ]
    asks = [row["text"] for row in read_lines(folder / "task/dev.jsonl.gz")]
    passages = [ask.partition("\n\n")[2] for ask in asks]
    passages = [passage for passage in passages if len(passage) >= PASSAGE_CHARS[0]]
    orders = [text for text, _, at in rows if at[0] == 1.0 and len(text) <= ORDER_CHARS_MAX]
    short = [ask for ask in asks if len(ask) <= ORDER_CHARS_MAX]
    rows += [(ask[:WINDOW_CHARS], "task", NO_ATTACK) for ask in asks]
    rows += list(documents(passages, orders, short, draw))[: len(orders)]
    return rows


def public(folder: Path, draw: Random) -> Iterator[Row]:
    """Rows of the public sources, few of each; of long texts often one window."""
    kept: dict[tuple[str, str], int] = defaultdict(int)
    rows = list(read_lines(folder / "security/train.jsonl.gz"))
    draw.shuffle(rows)
    for row in rows:
        key = row["source"], row["label"]
        kept[key] += 1
        if kept[key] > ROWS_MAX.get(row["source"], ROWS_MAX_ELSE):
            continue
        targets = targets_of(row)
        yield window(row["text"], row["label"], draw), f"security-{row['source']}", targets


def targets_of(row: dict[str, Any]) -> tuple[float | None, ...]:
    """What a row of the public sources says of each kind."""
    return PLANTED if row["source"] in INDIRECT_SOURCES else TARGETS[row["label"]]


def authored(folder: Path) -> Iterator[Row]:
    """The hard cases of the security pack, several times."""
    for row in read_lines(folder / "security/authored.jsonl.gz"):
        targets = PLANTED if row["kind"] == "indirect" else TARGETS[row["label"]]
        if row["kind"] != "obfuscated":  # what the scan reads, it reads decoded
            for _ in range(AUTHORED_COPIES):
                yield row["text"], "security-authored", targets


def window(text: str, label: str, draw: Random) -> str:
    """One window of a long text in half of the cases: of an attack its beginning."""
    if len(text) <= WINDOW_CHARS or draw.random() < 0.5:
        return text
    at = draw.randrange(len(text) - WINDOW_CHARS) if label == "benign" else 0
    return text[at : at + WINDOW_CHARS]


def documents(
    passages: list[str], orders: list[str], asks: list[str], draw: Random, count: int = DOCUMENTS
) -> Iterator[Row]:
    """
    *count* passages, with an order to the model planted, with an ask, or as they are.

    An innocent ask counts as planted only inside the text: before or after it, a person asks it.
    """
    for number in range(count):
        whole = draw.choice(passages)
        passage = whole[: draw.randint(*PASSAGE_CHARS)]
        if number % 3 == 0:
            yield passage, "security-document", NO_ATTACK
            continue
        sentences = SENTENCE_END.split(passage)
        hostile = number % 3 == 1
        order = draw.choice(orders if hostile else asks)
        inside = max(1, len(sentences) - 1)
        at = draw.randint(0, len(sentences)) if hostile else draw.randint(1, inside)
        planted = [*sentences[:at], order, *sentences[at:]]
        targets = PLANTED if hostile else (None, 0.0, 0.0, 0.0, 1.0)
        if len(planted) > 2 or hostile:
            yield " ".join(planted), "security-document", targets
