"""An artefact is checked before it is believed."""

from __future__ import annotations

import shutil

import pytest

from models.manifest import FILES, MANIFEST, REMEDY, ArtefactError, read_manifest, read_weights
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
    assert len(read_weights(FILES, manifest)) < 20_000_000
    assert manifest.complexity_from == tuple(sorted(manifest.complexity_from))
    assert manifest.complexity_to == tuple(sorted(manifest.complexity_to))


def test_changed_weights_are_refused(folder):
    """One changed byte is found, and the message carries both sums."""
    manifest = read_manifest(folder)
    (folder / manifest.weights).write_bytes(b"other")

    with pytest.raises(ArtefactError) as raised:
        read_weights(folder, manifest)

    sha256 = "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa"
    assert str(raised.value) == (
        f"{folder / manifest.weights}: sha256 is {sha256},"
        f" manifest.toml says {manifest.sha256}; {REMEDY}"
    )


def test_missing_files_are_named(folder, tmp_path):
    """Neither file may be absent, and the message says which is."""
    manifest = read_manifest(folder)
    (folder / manifest.weights).unlink()

    with pytest.raises(ArtefactError, match=r"first_stage\.npz: No such file or directory; rest"):
        read_weights(folder, manifest)
    with pytest.raises(ArtefactError, match=r"manifest\.toml: No such file or directory; rest"):
        read_manifest(tmp_path / "nowhere")


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
