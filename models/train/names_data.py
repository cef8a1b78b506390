"""Labelled texts for the tagger, read from the data packs and varied by chance."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from models.names import TYPES
from models.train.data import read_lines
from models.train.names_phrases import Labelled

DEV, AUTHORED = "pii/dev.jsonl.gz", "pii/authored.jsonl.gz"
PROMPTS, WRITTEN = "task/train.jsonl.gz", "authored/train.jsonl.gz"
LOWER_SHARE, UPPER_SHARE, SWAP_SHARE = 0.07, 0.03, 0.6
BLENDED_SHARE = 0.5  # of the words of names of people and places that become new ones
WORD = re.compile(r"[^\W\d_]{4,}")


def read(path: Path) -> list[Labelled]:
    """The texts of one file; types that the tagger does not know are left out."""
    found = []
    for row in read_lines(path):
        spans = sorted((s["start"], s["end"], s["type"]) for s in row["spans"])
        found.append(Labelled(row["text"], tuple(span for span in spans if span[2] in TYPES)))
    return found


def read_texts(folder: Path, names: Iterable[str]) -> list[str]:
    """The texts of the prompts in files, not labelled."""
    texts: list[str] = []
    for name in names:
        texts += [row["text"][:2_000] for row in read_lines(folder / name)]
    return texts


def pools(texts: Iterable[Labelled]) -> dict[str, list[str]]:
    """All names by type, each as often as it occurs."""
    names: dict[str, list[str]] = {kind: [] for kind in TYPES}
    for labelled in texts:
        for start, end, kind in labelled.spans:
            names[kind].append(labelled.text[start:end])
    return names


def swapped(labelled: Labelled, names: dict[str, list[str]], chance: random.Random) -> Labelled:
    """The text with some of its names replaced by others of their type."""
    text, spans, at = "", [], 0
    for start, end, kind in labelled.spans:
        text += labelled.text[at:start]
        name = labelled.text[start:end]
        short = kind == "ADDRESS" and len(name) < 15  # parts of one, which are not alike
        if chance.random() < SWAP_SHARE and not short and names[kind]:
            other = chance.choice(names[kind])
            name = other if (kind != "ADDRESS" or len(other) >= 15) else name
        spans.append((len(text), len(text) + len(name), kind))
        text, at = text + name, end
    return Labelled(text + labelled.text[at:], tuple(spans), labelled.weight)


def blended(labelled: Labelled, names: dict[str, list[str]], chance: random.Random) -> Labelled:
    """
    The text with names that nobody has: each word may get the beginning of another's.

    Names that a lexicon or a weight knows are a small part of all: without this, context and
    endings would not be learnt.
    """

    def blend(found: re.Match[str]) -> str:
        word = found[0]
        others = [o for o in WORD.findall(chance.choice(names[kind])) if o[0].isupper()]
        if not others or not word[0].isupper() or chance.random() > BLENDED_SHARE:
            return word
        cut = chance.randint(2, len(word) - 2)
        begin = chance.choice(others)[: chance.randint(2, 4)]
        return begin + word[cut:].lower()

    text, spans, at = "", [], 0
    for start, end, kind in labelled.spans:
        text += labelled.text[at:start]
        name = labelled.text[start:end]
        if kind in ("PERSON", "LOCATION") or (kind == "ORGANIZATION" and chance.random() < 0.5):
            first, *rest = name.split(" ", 1) if kind == "ORGANIZATION" else (name,)
            name = " ".join([WORD.sub(blend, first), *rest])
        spans.append((len(text), len(text) + len(name), kind))
        text, at = text + name, end
    return Labelled(text + labelled.text[at:], tuple(spans), labelled.weight)


def recased(labelled: Labelled, chance: random.Random) -> Labelled:
    """The text, now and then without capitals or with nothing else."""
    share = chance.random()
    if share < LOWER_SHARE:
        text = labelled.text.lower()
    elif share < LOWER_SHARE + UPPER_SHARE:
        text = labelled.text.upper()
    else:
        return labelled
    if len(text) != len(labelled.text):  # some capitals are two letters
        return labelled
    return Labelled(text, labelled.spans, labelled.weight)


def varied(
    texts: list[Labelled], names: dict[str, list[str]], copies: int, weight: float, seed: str
) -> list[Labelled]:
    """Each text as it is, and *copies* times with other names."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    found = []
    for labelled in texts:
        found.append(recased(labelled, chance))
        for _ in range(copies):
            other = blended(swapped(labelled, names, chance), names, chance)
            found.append(recased(other, chance))
    return [Labelled(one.text, one.spans, weight) for one in found]


def data_sha256(texts: Iterable[Labelled]) -> str:
    """A sum over all texts and labels, in their order."""
    total = hashlib.sha256()
    for labelled in texts:
        total.update(msgspec.json.encode(labelled))
    return total.hexdigest()
