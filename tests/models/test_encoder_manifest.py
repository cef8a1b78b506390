"""The manifest of the encoder's artefact."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.artefact import FILES, ArtefactError, read_checked
from models.encoder_manifest import ENCODER_MANIFEST, read_encoder_manifest


def test_the_shipped_artefact_is_whole() -> None:
    """Graph and tokenizer are the ones that the manifest names."""
    manifest = read_encoder_manifest(FILES)
    assert read_checked(FILES / manifest.weights, manifest.sha256, ENCODER_MANIFEST)
    assert read_checked(FILES / manifest.tokenizer, manifest.tokenizer_sha256, ENCODER_MANIFEST)


@pytest.mark.parametrize("found", [None, "", "name = 3", "labels = []"])
def test_a_bad_manifest_is_refused(tmp_path: Path, found: str | None) -> None:
    """Missing, empty and wrong ones raise, and the message names the file."""
    if found is not None:
        (tmp_path / ENCODER_MANIFEST).write_text(found)
    with pytest.raises(ArtefactError, match=ENCODER_MANIFEST):
        read_encoder_manifest(tmp_path)


def test_other_labels_are_refused(tmp_path: Path) -> None:
    """A model for other task types would answer with the wrong names."""
    text = (FILES / ENCODER_MANIFEST).read_text()
    (tmp_path / ENCODER_MANIFEST).write_text(text.replace('"Open QA"', '"Open Questions"'))
    with pytest.raises(ArtefactError, match="Open Questions"):
        read_encoder_manifest(tmp_path)
