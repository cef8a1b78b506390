"""The manifest of the guard is checked before it is believed."""

from __future__ import annotations

import pytest

from models.artefact import FILES, ArtefactError
from models.guard_manifest import GUARD_MANIFEST, read_guard_manifest
from models.scores import ATTACKS


def test_shipped_manifest_is_whole():
    """Thresholds are probabilities in their order, and the weights are small."""
    manifest = read_guard_manifest(FILES)

    assert manifest.attacks == ATTACKS
    for clear, sure in zip(manifest.clear_below, manifest.sure_above, strict=True):
        assert 0 < clear < sure < 1
    assert (FILES / manifest.weights).stat().st_size <= 4_000_000


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"jailbreak"', '"escape"', r"attacks are \['injection', 'escape', .* this code knows"),
        ("bits =", "bitz =", "unknown field `bitz`"),
        ("bits = ", 'bits = "many" #', r"Expected `int`, got `str` - at `\$\.bits`"),
        ("clear_below = [", "clear_below = [0.5, ", "not one threshold for each of the attacks"),
        ("name =", "name", r"guard\.toml: "),
    ],
)
def test_other_manifests_are_refused(tmp_path, old, new, message):
    """Other kinds, unknown members, wrong types, lost thresholds and broken TOML are told apart."""
    text = (FILES / GUARD_MANIFEST).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / GUARD_MANIFEST).write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(ArtefactError, match=message):
        read_guard_manifest(tmp_path)


def test_a_missing_manifest_is_named(tmp_path):
    """The message says which file is not there."""
    with pytest.raises(ArtefactError, match=r"guard\.toml: No such file or directory; restore"):
        read_guard_manifest(tmp_path)
