"""What an artefact says of itself, checked before it is believed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from models.scores import TASK_TYPES

FILES = Path(__file__).parent / "files"
MANIFEST = "manifest.toml"
REMEDY = "restore both files from one release, or train again: see models/README.md"


class ArtefactError(Exception):
    """An artefact is missing, damaged or made for other code. Says what is wrong, what to do."""


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
    try:
        manifest = msgspec.toml.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise ArtefactError(f"{path}: {error.strerror or error}; {REMEDY}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArtefactError(f"{path}: {error}; {REMEDY}") from error
    if manifest.labels != TASK_TYPES:
        raise ArtefactError(
            f"{path}: labels are {list(manifest.labels)},"
            f" this code knows {list(TASK_TYPES)}; {REMEDY}"
        )
    return manifest


def read_weights(folder: Path, manifest: Manifest) -> bytes:
    """The bytes of the weights beside the manifest, their sha256 checked. Raises ArtefactError."""
    path = folder / manifest.weights
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path}: {error.strerror or error}; {REMEDY}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.sha256:
        raise ArtefactError(
            f"{path}: sha256 is {found}, {MANIFEST} says {manifest.sha256}; {REMEDY}"
        )
    return content
