"""An artefact is checked before it is believed."""

from __future__ import annotations

import shutil

import pytest

from models.artefact import FILES, ArtefactError
from models.manifest import MANIFEST, read_manifest
from models.scores import TASK_TYPES


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped artefact, to be damaged."""
    return shutil.copytree(FILES, tmp_path / "files")


def edit(folder, old, new):
    path = folder / MANIFEST
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_shipped_artefact_is_whole():
    """Manifest and weights in the repository belong together."""
    manifest = read_manifest(FILES)

    assert manifest.labels == TASK_TYPES
    assert (FILES / manifest.weights).stat().st_size < 20_000_000
    assert manifest.complexity_from == tuple(sorted(manifest.complexity_from))
    assert manifest.complexity_to == tuple(sorted(manifest.complexity_to))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"Open QA"',
            '"Open"',
            r"labels are \['Open', 'Closed QA', .* this code knows \['Open QA'",
        ),
        ("bits =", "bitz =", "unknown field `bitz`"),
        ("temperature = ", 'temperature = "hot" #', r"Expected `float`, got `str` - at `\$\.temp"),
        ("name =", "name", "manifest.toml: "),
    ],
)
def test_other_manifests_are_refused(folder, old, new, message):
    """Other labels, unknown members, wrong types and broken TOML are told apart."""
    edit(folder, old, new)

    with pytest.raises(ArtefactError, match=message):
        read_manifest(folder)
