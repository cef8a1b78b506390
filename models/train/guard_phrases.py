"""Attacks and innocent look-alikes written from templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import msgspec

PHRASES = tuple(sorted(Path(__file__).parent.glob("guard_*.toml")))
SPACES = re.compile(" {2,}")  # where a slot is empty
SLOT = re.compile(r"\{(\w+)\}")
OPENING_CHARS = 200  # of an innocent text in front of an attack


class Phrases(msgspec.Struct, frozen=True):
    """Templates of every kind of text, and what may stand in their slots."""

    # injection, jailbreak, extraction, planted, benign, document, everyday
    kinds: dict[str, tuple[str, ...]]
    slots: dict[str, tuple[str, ...]]

    def drawn(self, kind: str, count: int, draw: Random) -> Iterator[str]:
        """*count* texts of a kind; every template as often as any other."""
        templates = self.kinds[kind]
        for number in range(count):
            text = self.filled(templates[number % len(templates)], draw)
            text = SPACES.sub(" ", text).strip().replace(" .", ".").replace(" ,", ",")
            yield text[:1].upper() + text[1:] if draw.random() < 0.8 else text

    def filled(self, template: str, draw: Random) -> str:
        """A template with all its slots filled, and those of what fills them."""
        while SLOT.search(template):
            template = SLOT.sub(lambda found: draw.choice(self.slots[found[1]]), template)
        return template


def read_templates(paths: Sequence[Path] = PHRASES) -> Phrases:
    """
    The templates of all *paths* together. A template with an unknown slot, and a name that two
    tables of slots have, are errors of their author.
    """
    kinds: dict[str, tuple[str, ...]] = {}
    slots: dict[str, tuple[str, ...]] = {}
    for path in paths:
        tables = msgspec.toml.decode(path.read_bytes(), type=dict[str, dict[str, tuple[str, ...]]])
        for name, table in tables.items():
            if not name.startswith("slots"):
                kinds[name] = kinds.get(name, ()) + table["texts"]
                continue
            if twice := slots.keys() & table.keys():
                raise ValueError(f"{path.name}: slots of two tables: {', '.join(sorted(twice))}")
            slots |= table
    return Phrases(kinds, slots)


def beside(text: str, other: str, draw: Random) -> str:
    """An attack alone, or behind or in front of an innocent text."""
    where = draw.randrange(4)
    if where == 0:
        return f"{other[:OPENING_CHARS]} {text}"
    if where == 1:
        return f"{other[:OPENING_CHARS]}\n\n{text}"
    if where == 2 and len(other) <= OPENING_CHARS:
        return f"{text} {other}"
    return text
