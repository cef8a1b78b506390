"""What the artefact of the guard says of itself, checked before it is believed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from models.artefact import FILES, REMEDY, ArtefactError, read_toml
from models.scores import ATTACKS

GUARD_MANIFEST = "guard.toml"


class GuardManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    ``guard.toml``: written by training, read at start.

    *clear_below* and *sure_above* are probabilities, one of each for each of *attacks*: below the
    first the kind can be taken as absent, from the second on as present, and what lies between is
    worth a look of the encoder. *data_sha256* names the training rows, *measured* what was found
    on rows that were not learnt from.
    """

    name: str
    version: str
    weights: str  # name of the file beside the manifest
    sha256: str  # of that file
    attacks: tuple[str, ...]
    bits: int  # logarithm of the number of rows of the table
    clear_below: tuple[float, ...]
    sure_above: tuple[float, ...]
    data_sha256: str
    measured: dict[str, float]


def read_guard_manifest(folder: Path = FILES) -> GuardManifest:
    """The manifest of the guard in *folder*, its kinds checked. Raises ArtefactError."""
    path = folder / GUARD_MANIFEST
    manifest = read_toml(path, GuardManifest)
    if manifest.attacks != ATTACKS:
        raise ArtefactError(
            f"{path}: attacks are {list(manifest.attacks)},"
            f" this code knows {list(ATTACKS)}; {REMEDY}"
        )
    if {len(manifest.clear_below), len(manifest.sure_above)} != {len(ATTACKS)}:
        raise ArtefactError(f"{path}: not one threshold for each of the attacks; {REMEDY}")
    return manifest
