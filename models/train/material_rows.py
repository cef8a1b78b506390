"""Blocks of messages: which are asked, which are material, as far as the packs tell."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from models.train.data import group_of, read_lines, read_phrases, words_of

BLANK = re.compile(r"\n[ \t]*\n\s*")
# Work on a text that is given: what follows the ask is that text.
ON_TEXTS = frozenset({"Summarization", "Extraction", "Rewrite", "Classification", "Closed QA"})
# What follows an ask for anything else says more about what is wanted.
ASK_CHARS_MAX = 700
MATERIAL_CHARS_MIN = 60
SINGLE_CHARS_MAX = 400  # of a one-block prompt about a text: a longer one holds the text
PUBLIC_MAX = 400  # asks of a public source
PASSAGE_CHARS = (120, 1_600)  # a passage is cut to a length drawn from here
LINE_CHARS_MIN = 40
PUBLIC_WEIGHT, WRITTEN_WEIGHT, CONTINUED_WEIGHT = 0.5, 1.0, 2.0
ASKED, PASTED = False, True
PROMPTS = ("in-the-wild-regular", "awesome-chatgpt-prompts-long", "awesome-chatgpt-prompts")


class Block(msgspec.Struct, frozen=True):
    """A block, whether it is material, who wrote it, and how much it weighs in training."""

    text: str
    material: bool
    group: str
    weight: float = 1.0


def read_blocks(folder: Path, draw: Random) -> list[Block]:
    """All blocks that can be told from the packs, without those of any dev split."""
    found = [
        *written(folder, "train"),
        *spoken(folder),
        *public(folder, draw),
        *instructed(folder),
        *[Block(row.text, ASKED, "phrases", PUBLIC_WEIGHT) for row in read_phrases()],
        *passages(folder, draw),
        *records(folder),
    ]
    kept: dict[str, Block] = {}
    for block in found:
        if block.text.strip():
            kept.setdefault(block.text.strip(), block)
    return list(kept.values())


def written(folder: Path, split: str) -> Iterator[Block]:
    """The blocks of the labelled prompts, by what their labels say of them."""
    for entry in read_lines(folder / f"authored/{split}.jsonl.gz"):
        group = group_of(entry["source"])
        yield from told_apart(entry["text"], group, on_text=entry["task_type"] in ON_TEXTS)


def told_apart(text: str, group: str, *, on_text: bool) -> Iterator[Block]:
    """The blocks of one prompt; those that may be either are left out."""
    blocks = [block for block in BLANK.split(text.strip()) if block.strip()]
    if len(blocks) == 1:
        if not on_text or len(text) <= SINGLE_CHARS_MAX:
            yield Block(text, ASKED, group, WRITTEN_WEIGHT)
            lines = text.split("\n")
            if len(lines) > 1 and not on_text:
                yield from (Block(line, ASKED, group, PUBLIC_WEIGHT) for line in lines)
        return
    if not on_text:
        yield from (Block(block, ASKED, group, CONTINUED_WEIGHT) for block in blocks)
        return
    if len(blocks[0]) <= ASK_CHARS_MAX:
        yield Block(blocks[0], ASKED, group, CONTINUED_WEIGHT)
        last = blocks[-1] if len(blocks) > 2 else ""
        for block in blocks[1 : -1 if last else None]:
            if len(block) >= MATERIAL_CHARS_MIN:
                yield Block(block, PASTED, group, WRITTEN_WEIGHT)


def spoken(folder: Path) -> Iterator[Block]:
    """What is said in conversations: asks of humans, results of tools, instructions, answers."""
    for entry in read_lines(folder / "authored/conversations-train.jsonl.gz"):
        yield Block(entry["ask"][:ASK_CHARS_MAX], ASKED, "conversations")
        for message in entry["messages"]:
            for block in BLANK.split(words_of(message["content"])):
                if message["role"] == "system" and "document" not in block.lower():
                    yield Block(block, ASKED, "conversations", PUBLIC_WEIGHT)
                elif message["role"] == "tool" and len(block) >= MATERIAL_CHARS_MIN:
                    yield Block(block, PASTED, "conversations")


def public(folder: Path, draw: Random) -> Iterator[Block]:
    """First blocks of public prompts, as many of each source."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read_lines(folder / "task/train.jsonl.gz"):
        key = row["source"] if row["lang"] == "en" else f"{row['source']}/foreign"
        rows[key].append(row)
    for source in sorted(rows):
        if source in ("writingbench", "wikisplit", "gpteacher-toolformer"):
            continue
        chosen = rows[source]
        draw.shuffle(chosen)
        for row in chosen[:PUBLIC_MAX]:
            first = BLANK.split(row["text"].strip())[0]
            if len(first) <= ASK_CHARS_MAX:
                yield Block(first, ASKED, f"public-{source}", PUBLIC_WEIGHT)


def instructed(folder: Path) -> Iterator[Block]:
    """Every block of long prompts that instruct: none of it is material."""
    for row in read_lines(folder / "security/train.jsonl.gz"):
        if row["label"] == "benign" and row["source"] in PROMPTS:
            for block in BLANK.split(row["text"].strip()):
                yield Block(block, ASKED, f"security-{row['source']}", PUBLIC_WEIGHT)


def passages(folder: Path, draw: Random) -> Iterator[Block]:
    """What public prompts have behind a blank line, cut at drawn lengths, and sentences."""
    for row in read_lines(folder / "task/train.jsonl.gz"):
        if row["source"] in ("dolly-15k", "xquad", "wikisplit", "p3-t0"):
            behind = BLANK.split(row["text"].strip())[1:]
            if row["source"] == "p3-t0":
                behind = behind[:-1]
            yield from cut_blocks(behind, f"public-{row['source']}", draw)
    for row in read_lines(folder / "security/train.jsonl.gz"):
        long = len(row["text"]) > ASK_CHARS_MAX / 4
        if row["source"].startswith("xquad") and long:
            yield from cut_blocks(BLANK.split(row["text"]), "public-xquad", draw)


def cut_blocks(blocks: list[str], group: str, draw: Random) -> Iterator[Block]:
    """Each block cut at a drawn length, and some of its sentences."""
    for block in blocks:
        if len(block) < MATERIAL_CHARS_MIN:
            continue
        yield Block(block[: draw.randint(*PASSAGE_CHARS)], PASTED, group, PUBLIC_WEIGHT)
        sentences = re.split(r"(?<=[.!?])\s|(?<=[。！？।])", block)
        some = draw.choice(sentences)
        if len(some) >= LINE_CHARS_MIN and len(sentences) > 2:
            yield Block(some, PASTED, group, PUBLIC_WEIGHT / 2)


def records(folder: Path) -> Iterator[Block]:
    """Outputs of tools, and written e-mails, forms and logs that ask for nothing."""
    for row in read_lines(folder / "security/train.jsonl.gz"):
        if row["source"] == "injecagent-tool-output" and row["label"] == "benign":
            yield Block(row["text"], PASTED, "security-injecagent", PUBLIC_WEIGHT)
