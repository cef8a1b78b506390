"""Asking an encoder, within a deadline, once for a text that is in hand."""

from __future__ import annotations

import asyncio

from models.asking import Asking
from models.batching import Refusal
from models.opinion import Opinion
from models.worker import Load

SAID = Opinion([0.0], 0.5)


class Door:
    """Keeps what it is asked, or refuses."""

    tokens_max = 128
    is_failing = False
    load = Load()

    def __init__(self, refusal=None):
        self.entries = []
        self.refusal = refusal

    def submit(self, entry, _budget_s):
        self.entries.append(entry)
        return self.refusal

    def describe(self):
        return "a door"

    def close(self):
        """Nothing to end."""


def future():
    return asyncio.get_running_loop().create_future()


async def test_everybody_who_asks_for_a_text_in_hand_is_told():
    """One entry, and each caller gets its own word."""
    door = Door()
    asking, one, other = Asking(door, None), future(), future()
    asking.ask("text", one, lambda said: said.complexity, None)
    asking.ask("text", other, lambda said: said.complexity * 2, None)
    (entry,) = door.entries
    entry.settle(SAID)

    assert (await one, await other) == (0.5, 1.0)


async def test_another_text_is_another_entry():
    """Texts are not mixed up."""
    door = Door()
    asking = Asking(door, None)
    asking.ask("one", future(), lambda said: said, None)
    asking.ask("other", future(), lambda said: said, None)

    assert [entry.text for entry in door.entries] == ["one", "other"]


async def test_an_entry_is_gone_when_all_its_callers_are():
    """It costs nothing then; until then it stays."""
    door = Door()
    asking, one, other = Asking(door, None), future(), future()
    asking.ask("text", one, lambda said: said, None)
    asking.ask("text", other, lambda said: said, None)
    (entry,) = door.entries
    one.cancel()
    assert not entry.gone()
    other.cancel()
    assert entry.gone()


async def test_a_settled_text_is_asked_for_again():
    """An opinion is not waited for where none will come any more."""
    door = Door()
    asking = Asking(door, None)
    asking.ask("text", future(), lambda said: said, None)
    door.entries[0].settle(SAID)
    asking.ask("text", future(), lambda said: said, None)

    assert len(door.entries) == 2


async def test_a_refusal_is_the_callers_to_answer():
    """And nobody joins what was refused."""
    door = Door(Refusal.OVERLOAD)
    asking, answer = Asking(door, None), future()

    assert asking.ask("text", answer, lambda said: said, None) is Refusal.OVERLOAD
    assert asking.ask("text", future(), lambda said: said, None) is Refusal.OVERLOAD
    assert not answer.done()
    assert len(door.entries) == 2


async def test_the_deadline_gives_the_late_answer():
    """Nobody waits longer."""
    asking, answer = Asking(Door(), 0.001), future()
    asking.ask("text", answer, lambda said: said, "late")

    assert await asyncio.wait_for(answer, 10.0) == "late"
