"""Tests of gateway/signals/material.py."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.signals import material
from gateway.signals.ask import find_ask
from gateway.signals.material import BLOCKS_MAX, beside_material, grouped, load_material
from models.artefact import ArtefactError
from models.material import Material

ASK = "How do I get red wine out of a wool carpet?"
MILL = (
    "The Arkwell Mill is a water mill in the north of England. It was built in 1661 by the Hurst"
    " family and is the oldest of its kind in the county. It has been a museum since 1974."
)
CITY = (
    "La ciudad fue fundada en 1550 por colonos españoles y fue la capital de la provincia hasta"
    " 1810. En la actualidad cuenta con unos 30.000 habitantes y es conocida por su catedral."
)
PLACES = {
    "before": f"{MILL}\n\n{ASK}",
    "after": f"{ASK}\n\n{MILL}",
    "on the next line": f"{MILL}\n{ASK}",
    "between two": f"{MILL}\n\n{ASK}\n\n{CITY}",
    "behind three": f"{MILL}\n\n{CITY}\n\n{MILL}\n\n{ASK}",
    "behind a heading": f"Retrieved passages:\n\n{MILL}\n\n{CITY}\n\n{ASK}",
}
KEPT = {
    "one block": MILL,
    "passages alone": f"{MILL}\n\n{CITY}",
    "requirements": f"Build a form with these requirements:\n\n{MILL}",
    "further instructions": f"{ASK}\n\nKeep it under 100 words, and name no brands. "
    "I have vinegar and soda at home, and the stain is two days old by now, so please say what to "
    "try first and what I must not do.",
    "code": f"{ASK}\n\ndef area(r):\n    return 3 * r;\n\n" + "x = area(2)\ny = area(3)\n" * 20,
}


@pytest.mark.parametrize("message", PLACES.values(), ids=PLACES)
def test_find_ask_sets_passages_aside(message):
    """Wherever passages stand, the ask alone is left."""
    assert find_ask(message) == ASK


@pytest.mark.parametrize("message", KEPT.values(), ids=KEPT)
def test_beside_material_keeps_what_may_be_asked(message):
    """In doubt, and without an ask, nothing is cut."""
    assert beside_material(message) == message


def test_grouped_bounds_what_is_scored():
    """Blocks in the middle of many count as one; nothing is lost."""
    blocks = [str(number) for number in range(50)]
    pieces = grouped(blocks, "\n\n", BLOCKS_MAX)

    assert len(pieces) == BLOCKS_MAX
    assert "\n\n".join(pieces) == "\n\n".join(blocks)


def test_without_the_model_shapes_decide(monkeypatch, caplog):
    """A damaged artefact is one error in the log, and no request fails."""

    def refuse() -> Material:
        raise ArtefactError("damaged")

    monkeypatch.setattr(material.Material, "load", refuse)
    load_material.cache_clear()
    try:
        with caplog.at_level(logging.ERROR, "switchyard"):
            assert [find_ask(PLACES["before"]) for _ in range(2)] == [PLACES["before"]] * 2
    finally:
        load_material.cache_clear()

    assert len(caplog.records) == 1


@given(st.lists(st.sampled_from([ASK, MILL, CITY, "- a\n- b", "{", "Why?"]), max_size=9))
@settings(deadline=None, max_examples=60)
def test_beside_material_keeps_the_order(blocks):
    """What is left are blocks of the message in their order."""
    left = iter("\n\n".join(blocks).split("\n\n"))

    assert all(
        any(piece == block for block in left)
        for piece in beside_material("\n\n".join(blocks)).split("\n\n")
    )
