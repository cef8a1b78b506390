"""What the artefact of the first stage says of itself, checked before it is believed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from models.artefact import REMEDY, ArtefactError, read_toml
from models.scores import TASK_TYPES

MANIFEST = "manifest.toml"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    ``manifest.toml``: written by training, read at start.

    *complexity_from* and *complexity_to* are the knots of the line that turns the raw complexity
    into the calibrated one, 0 to 1. *uncertain_below*: see the README. *data_sha256* names the
    training rows, *measured* what the training run found.
    """

    name: str
    version: str
    weights: str  # name of the file beside the manifest
    sha256: str  # of that file
    labels: tuple[str, ...]
    bits: int  # logarithm of the number of rows of the table
    temperature: float  # of the softmax over the scores of the labels
    uncertain_below: float
    complexity_from: tuple[float, ...]
    complexity_to: tuple[float, ...]
    data_sha256: str
    measured: dict[str, float]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of *folder*, its labels checked. Raises ArtefactError."""
    path = folder / MANIFEST
    manifest = read_toml(path, Manifest)
    if manifest.labels != TASK_TYPES:
        raise ArtefactError(
            f"{path}: labels are {list(manifest.labels)},"
            f" this code knows {list(TASK_TYPES)}; {REMEDY}"
        )
    return manifest
