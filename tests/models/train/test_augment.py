"""The same request in other clothes keeps its words."""

from __future__ import annotations

from random import Random

from models.excerpt import ASK_MARK, join_excerpt, split_excerpt
from models.train.augment import Augmenter

PASSAGE = "The harbour moved four per cent more containers than in the year before. " * 4
ASK = "Say in one word whether this review is friendly."
AUGMENTER = Augmenter([PASSAGE], ["what is a port?"], ["Classify every message."])


def changed(text: str) -> list[str]:
    """A hundred changes of *text*."""
    draw = Random(1)
    return [AUGMENTER(text, draw, english=True) for _ in range(100)]


def test_an_ask_may_come_from_the_operator():
    """A short ask over a long text becomes a system prompt, and the text what the user sends."""
    found = {split_excerpt(text) for text in changed(f"{ASK}\n\n{PASSAGE}")}
    alone = [before for before, ask in found if ask == PASSAGE.strip()]

    assert alone
    assert all(before.startswith("system: ") and ASK in before for before in alone)


def test_system_prompts_come_before_all_else():
    """Of manners and of other tasks; the ask stays the ask."""
    found = [split_excerpt(text) for text in changed("Write a poem about rain and the sea")]
    dressed = [before for before, _ in found if before.startswith("system: ")]

    assert any("Classify every message." in before for before in dressed)
    assert any("Classify" not in before for before in dressed)
    assert len(dressed) < len(found)


def test_a_conversation_stays_as_it_is():
    """It has its turns already."""
    text = join_excerpt("the second", [("assistant", "a or b?")])

    assert changed(text) == [text] * 100
    assert ASK_MARK in text
