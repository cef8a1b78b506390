"""The training of the model of pasted material: what blocks are taken for, what is written."""

from __future__ import annotations

import msgspec
import numpy as np

from models.material import Material
from models.train.material import design, fit, quantised, scores, write
from models.train.material_rows import ASKED, PASTED, Block, told_apart

BITS = 12
TEXT = "The river rose for three days and took the bridge with it." * 3


def test_told_apart_knows_an_ask_from_its_text():
    """Behind an ask about a text stands material; behind any other ask more of the ask."""
    prompt = f"Sum this up.\n\n{TEXT}\n\n{TEXT}"
    about = [(block.text, block.material) for block in told_apart(prompt, "one", on_text=True)]
    other = [block.material for block in told_apart(prompt, "one", on_text=False)]

    assert about == [("Sum this up.", False), (TEXT, True)]
    assert other == [False, False, False]


def test_fit_is_what_is_written_and_loaded(tmp_path):
    """A small model learns its blocks, and the artefact says the same as the fit."""
    blocks = [Block(f"What is the {n} of it?", ASKED, "one") for n in ("name", "age", "size")]
    blocks += [Block(f"{TEXT} {n}", PASTED, "two") for n in ("One.", "Two.", "Three.")]
    matrix = design([block.text for block in blocks], BITS)
    weights = fit(matrix, blocks, np.arange(len(blocks)))
    manifest = msgspec.structs.replace(Material.load().manifest, bits=BITS)
    write(quantised(manifest, weights), tmp_path)
    loaded = Material.load(tmp_path)
    found = [loaded.score(block.text) for block in blocks]

    assert [score > 0 for score in found] == [block.material for block in blocks]
    assert np.allclose(found, scores(matrix, weights), atol=0.05)
