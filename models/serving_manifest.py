"""What serving needs to know of the artefacts beside what each says of itself."""

from __future__ import annotations

from pathlib import Path

import msgspec

from models.artefact import read_toml
from models.cascade import Thresholds
from models.opinion import Blend

SERVING_MANIFEST = "serving.toml"


class SelfTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prompt, and what the encoder said of it on the machine that made the artefact."""

    text: str
    task_type: str
    complexity: float


class ServingManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    ``serving.toml``: written by models/train/serving.py once both stages are there, whose
    versions it names: thresholds and blend hold for those two only.

    *half* is the graph in float16 for GPUs, "" where none is shipped. *measured* is what the
    cascade did on the held-out prompts that the thresholds were chosen on.
    """

    first_stage: str
    encoder: str
    thresholds: Thresholds
    blend: Blend
    self_test: tuple[SelfTest, ...]
    measured: dict[str, float]
    half: str = ""
    half_sha256: str = ""


def read_serving_manifest(folder: Path) -> ServingManifest:
    """The manifest in *folder*. Raises ArtefactError."""
    return read_toml(folder / SERVING_MANIFEST, ServingManifest)
