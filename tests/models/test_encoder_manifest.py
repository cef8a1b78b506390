"""The manifest of the encoder's artefact."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from models.encoder_manifest import ENCODER_MANIFEST, read_checked, read_encoder_manifest
from models.manifest import FILES, ArtefactError


def test_the_shipped_artefact_is_whole() -> None:
    """Graph and tokenizer are the ones that the manifest names."""
    manifest = read_encoder_manifest(FILES)
    assert read_checked(FILES / manifest.weights, manifest.sha256)
    assert read_checked(FILES / manifest.tokenizer, manifest.tokenizer_sha256)


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


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    """Both sums are in the message."""
    path = tmp_path / "weights"
    path.write_bytes(b"changed")
    wanted = hashlib.sha256(b"as released").hexdigest()
    with pytest.raises(ArtefactError, match=wanted):
        read_checked(path, wanted)
    with pytest.raises(ArtefactError, match="absent"):
        read_checked(tmp_path / "absent", wanted)
