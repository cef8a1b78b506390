"""The model of pasted material: asks and passages apart, any text is read, damage is told."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.artefact import FILES, ArtefactError
from models.material import MATERIAL_MANIFEST, Material, read_material_manifest

MODEL = Material.load()


@pytest.mark.parametrize(
    "block",
    [
        "What is the capital of Australia?",
        "Write a function that reverses a linked list.",
        "Schreib eine Absage an den Bewerber, freundlich und kurz.",
        "Keep it under 100 words and do not mention the price.",
    ],
)
def test_asks_are_sure(block):
    """Plain asks, and what goes on with one, are on the asked side."""
    assert MODEL.score(block) <= MODEL.manifest.ask_below


@pytest.mark.parametrize(
    "block",
    [
        "The Arkwell Mill is a water mill in the north of England. It was built in 1661 by the"
        " Hurst family, and is the oldest of its kind in the county. It has been a museum since"
        " 1974.",
    ],
)
def test_passages_are_sure(block):
    """Plain passages are on the other side."""
    assert MODEL.score(block) >= MODEL.manifest.material_from


@given(st.text(max_size=600))
@settings(deadline=None)
def test_any_text_has_a_score(text):
    """Scoring never fails, and the same text has the same score."""
    assert MODEL.score(text) == MODEL.score(text)


def test_limit_asks_for_an_ask():
    """Without a sure ask there is no limit; far apart, less will do."""
    known = MODEL.manifest

    assert known.limit(known.ask_below + 0.01, known.ask_below + 0.02) is None
    assert known.limit(known.ask_below, known.ask_below) == known.material_from
    assert known.limit(-2.0, 2.0) == known.material_beside
    assert known.limit(known.ask_beside, 2.0) == pytest.approx(
        max(known.material_beside, known.ask_beside + known.gap / 2)
    )


@pytest.mark.parametrize("name", [MATERIAL_MANIFEST, "material.npz"])
def test_missing_and_damaged_files_are_refused(tmp_path, name):
    """An artefact that is not whole says so, and what to do."""
    for file in (MATERIAL_MANIFEST, "material.npz"):
        shutil.copy(FILES / file, tmp_path / file)
    (tmp_path / name).write_bytes(b"\x00damaged")
    with pytest.raises(ArtefactError, match=name):
        Material.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ArtefactError, match=name):
        Material.load(tmp_path)


def test_manifest_names_the_weights():
    """The shipped manifest is read."""
    assert read_material_manifest().weights == "material.npz"
