"""What the artefact of the encoder says of itself, checked before it is believed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from models.artefact import REMEDY, ArtefactError, read_toml
from models.scores import ATTACKS, TASK_TYPES

ENCODER_MANIFEST = "encoder.toml"


class EncoderManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    ``encoder.toml``: written by training, read at start.

    *weights* is the ONNX graph and *tokenizer* the ``tokenizers`` JSON beside it. *tokens_max* of
    a text are read, the two ends included; *mark* is the token between the turns before and the
    ask. The knots *..._from* and *..._to* turn raw outputs into calibrated ones, 0 to 1.
    *attack_scale* and *attack_shift* do so for the logit of each of *attacks*. *uncertain_below*
    is a confidence. *languages* are the labels of the language output, "" for
    any other. *data_sha256* names the training rows, *measured* what was found without them.
    """

    name: str
    version: str
    weights: str
    sha256: str
    tokenizer: str
    tokenizer_sha256: str
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    tokens_max: int
    first: int  # token id put before every text
    last: int  # and after it
    mark: int
    temperature: float
    uncertain_below: float
    complexity_from: tuple[float, ...]
    complexity_to: tuple[float, ...]
    strong_need_from: tuple[float, ...]
    strong_need_to: tuple[float, ...]
    attacks: tuple[str, ...]
    attack_scale: tuple[float, ...]
    attack_shift: tuple[float, ...]
    data_sha256: str
    measured: dict[str, float]


def read_encoder_manifest(folder: Path) -> EncoderManifest:
    """The manifest of the encoder in *folder*, its labels checked. Raises ArtefactError."""
    path = folder / ENCODER_MANIFEST
    manifest = read_toml(path, EncoderManifest)
    for found, known in ((manifest.labels, TASK_TYPES), (manifest.attacks, ATTACKS)):
        if found != known:
            raise ArtefactError(
                f"{path}: labels are {list(found)}, this code knows {list(known)}; {REMEDY}"
            )
    return manifest
