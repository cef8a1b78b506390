"""Attacks and innocent look-alikes written from templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec

PHRASES = Path(__file__).with_name("guard_phrases.toml")
SLOT = re.compile(r"\{(\w+)\}")
OPENING_CHARS = 200  # of an innocent text in front of an attack


class Phrases(msgspec.Struct, frozen=True):
    """Templates of every kind of text, and what may stand in their slots."""

    kinds: dict[str, tuple[str, ...]]  # injection, jailbreak, extraction, planted, benign, document
    slots: dict[str, tuple[str, ...]]

    def drawn(self, kind: str, count: int, draw: Random) -> Iterator[str]:
        """*count* texts of a kind; every template as often as any other."""
        templates = self.kinds[kind]
        for number in range(count):
            text = self.filled(templates[number % len(templates)], draw)
            text = " ".join(text.split()).replace(" .", ".").replace(" ,", ",")
            yield text[:1].upper() + text[1:] if draw.random() < 0.8 else text

    def filled(self, template: str, draw: Random) -> str:
        """A template with all its slots filled, and those of what fills them."""
        while SLOT.search(template):
            template = SLOT.sub(lambda found: draw.choice(self.slots[found[1]]), template)
        return template


def read_templates(path: Path = PHRASES) -> Phrases:
    """The templates of *path*; a template with an unknown slot is an error of its author."""
    tables = msgspec.toml.decode(path.read_bytes(), type=dict[str, dict[str, tuple[str, ...]]])
    slots = tables.pop("slots") | tables.pop("slots_foreign")
    return Phrases({kind: table["texts"] for kind, table in tables.items()}, slots)


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
