"""The rows that the guard learns from, and those that it is measured on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from random import Random

import msgspec

from models.excerpt import split_excerpt
from models.guard import cut_windows
from models.train.attacks import (
    INDIRECT_SOURCES,
    NO_ATTACK,
    ORDER_CHARS_MAX,
    PASSAGE_CHARS,
    PLANTED,
    TARGETS,
    documents,
)
from models.train.corpus import passages
from models.train.data import AUTHORED, excerpt_of, read_lines
from models.train.guard_phrases import Phrases, beside, read_templates
from models.train.routing import ROUTING

AUTHORED_SOURCE = "authored"
DOCUMENT_SOURCE = "document"
AUTHORED_WEIGHT = 4.0
TEMPLATE_SOURCE = "template"
TEMPLATE_WEIGHT = 1.0
EVERYDAY_WEIGHT = 3.0  # some attacks are word for word what people ask of their own texts
WRITTEN = {  # rows from templates
    "injection": 3_000,
    "jailbreak": 2_000,
    "extraction": 2_400,
    "benign": 4_000,
    "everyday": 6_000,
    "planted": 2_500,
    "document": 3_000,
}
WITH_PASSAGE = 0.2  # of everyday asks stand below what they ask about
# Rows of a source and label: a template teaches little after some hundred rows.
ROWS_MAX = {"neuralchemy": 2_000, "wildguard-train": 1_300}
ROWS_MAX_ELSE = 700
PLANTED_MAX = 250  # documents with an order of one source
ORDINARY_MAX = {"dolly-15k": 5_000, "p3-t0": 1_500, "gpteacher-toolformer": 30}
ORDINARY_MAX_ELSE = 1_400
NOT_ORDINARY = ("annotated-wildguard-train",)  # some of them are harmful
ROUTING_MAX = 150  # of a source: many alike
WINDOWS_MAX = 3  # of a long innocent text; of an attack only the first, which says what it is


class Row(msgspec.Struct, frozen=True):
    """One text. *targets*: 0 or 1 for each of ATTACKS, None where the label does not say."""

    text: str
    source: str
    label: str  # of the pack, or "ordinary"
    targets: tuple[float | None, ...]
    weight: float = 1.0


def read_training(folder: Path, draw: Random) -> list[Row]:
    """All rows to learn from, long texts in windows, in an order drawn from *draw*."""
    attacks = [*public(folder, draw), *authored(folder)]
    rows = [*attacks, *composed(folder, attacks, draw), *ordinary(folder, "train", draw)]
    rows += routed(folder, draw)
    asks = [row.text for row in rows if row.label == "ordinary"]
    rows += written(read_templates(), passages(folder), asks, draw)
    draw.shuffle(rows)
    return [part for row in rows for part in parts(row, draw)]


def public(folder: Path, draw: Random) -> Iterable[Row]:
    """Training rows of the public security sources, at most so many of each."""
    kept: dict[tuple[str, str], int] = defaultdict(int)
    rows = read_security(folder, "train")
    draw.shuffle(rows)
    for row in rows:
        kept[row.source, row.label] += 1
        if kept[row.source, row.label] <= ROWS_MAX.get(row.source, ROWS_MAX_ELSE):
            yield row


def read_security(folder: Path, split: str) -> list[Row]:
    """All rows of a *split*, train or dev, of the public security sources."""
    return [
        Row(
            text=row["text"],
            source=row["source"],
            label=row["label"],
            targets=PLANTED if row["source"] in INDIRECT_SOURCES else TARGETS[row["label"]],
        )
        for row in read_lines(folder / f"security/{split}.jsonl.gz")
    ]


def authored(folder: Path) -> Iterable[Row]:
    """The hard cases of the security pack; *label* is their kind."""
    for row in read_lines(folder / "security/authored.jsonl.gz"):
        if row["kind"] != "obfuscated":  # what the scan reads, it reads decoded
            yield Row(
                text=row["text"],
                source=AUTHORED_SOURCE,
                label=row["kind"],
                targets=PLANTED if row["kind"] == "indirect" else TARGETS[row["label"]],
                weight=AUTHORED_WEIGHT,
            )


def composed(folder: Path, attacks: Iterable[Row], draw: Random) -> Iterable[Row]:
    """
    Passages with an order of *attacks* planted, and passages as they are.

    A planted order stays its source's, so that both are left out together. Passages with an
    innocent ask are no rows: to one who hears no order of words they are what people ask.
    """
    orders: dict[str, list[str]] = defaultdict(list)
    for row in attacks:
        if row.targets[0] == 1.0 and len(row.text) <= ORDER_CHARS_MAX:
            orders[row.source].append(row.text)
    found = passages(folder)
    for source in sorted(orders):
        most = 3 * min(PLANTED_MAX, len(orders[source]))  # a third of the documents is hostile
        for text, _, targets in islice(documents(found, orders[source], [""], draw), most):
            if targets == PLANTED:
                yield Row(text, source, "planted", PLANTED)
            elif targets == NO_ATTACK:
                yield Row(text, DOCUMENT_SOURCE, "benign", NO_ATTACK)


def written(phrases: Phrases, found: list[str], asks: list[str], draw: Random) -> Iterable[Row]:
    """
    Rows from templates: attacks alone and beside *asks*, look-alikes, everyday asks alone and below
    a passage, and documents with attacks or look-alikes.
    """
    for label in ("injection", "jailbreak", "extraction"):
        for text in phrases.drawn(label, WRITTEN[label], draw):
            attack = beside(text, draw.choice(asks), draw)
            yield Row(attack, TEMPLATE_SOURCE, label, TARGETS[label], TEMPLATE_WEIGHT)
    for text in phrases.drawn("benign", WRITTEN["benign"], draw):
        yield Row(text, TEMPLATE_SOURCE, "benign", NO_ATTACK, TEMPLATE_WEIGHT)
    for text in phrases.drawn("everyday", WRITTEN["everyday"], draw):
        passage = draw.choice(found)[: draw.randint(*PASSAGE_CHARS)]
        whole = f"{passage}\n\n{text}" if draw.random() < WITH_PASSAGE else text
        yield Row(whole, TEMPLATE_SOURCE, "benign", NO_ATTACK, EVERYDAY_WEIGHT)
    for label, targets in (("planted", PLANTED), ("document", NO_ATTACK)):
        orders = list(phrases.drawn(label, WRITTEN[label], draw))
        for text in orders:  # many of them are documents themselves
            yield Row(text, TEMPLATE_SOURCE, label, targets, TEMPLATE_WEIGHT)
        for text, _, at in documents(found, orders, [""], draw, 3 * len(orders)):
            if at == PLANTED:
                yield Row(text, TEMPLATE_SOURCE, label, targets, TEMPLATE_WEIGHT)


def ordinary(folder: Path, split: str, draw: Random) -> list[Row]:
    """Prompts of the task packs, written and real; of the dev split all."""
    rows = [
        Row(split_excerpt(excerpt_of(entry))[1], f"ask-{entry['source']}", "ordinary", NO_ATTACK)
        for name in AUTHORED
        for entry in read_lines(folder / name.format(split))
        if entry["source"] not in NOT_ORDINARY
    ]
    kept: dict[str, int] = defaultdict(int)
    entries = list(read_lines(folder / f"task/{split}.jsonl.gz"))
    draw.shuffle(entries)
    for entry in entries:
        source = entry["source"]
        kept[source] += 1
        if split == "dev" or kept[source] <= ORDINARY_MAX.get(source, ORDINARY_MAX_ELSE):
            rows.append(Row(entry["text"], f"task-{source}", "ordinary", NO_ATTACK))
    return rows


def routed(folder: Path, draw: Random) -> Iterable[Row]:
    """Prompts of the routing pack: benchmarks, which are innocent in a dry voice."""
    kept: dict[str, int] = defaultdict(int)
    entries = list(read_lines(folder / ROUTING))
    draw.shuffle(entries)
    for entry in entries:
        kept[entry["source"]] += 1
        if kept[entry["source"]] <= ROUTING_MAX:
            yield Row(entry["prompt"], f"routing-{entry['source']}", "ordinary", NO_ATTACK)


def parts(row: Row, draw: Random) -> list[Row]:
    """The windows of a long text that are worth learning from: of an attack the first."""
    windows = list(cut_windows(row.text, 64))
    hostile = any(target == 1.0 for target in row.targets)
    chosen = windows[:1] if hostile else windows
    if len(chosen) > WINDOWS_MAX:
        chosen = draw.sample(chosen, WINDOWS_MAX)
    return [
        msgspec.structs.replace(row, text=row.text[a:b], weight=row.weight / len(chosen) ** 0.5)
        for a, b in chosen
    ]
