"""Read the files of an artefact: all of them fail in the same way, and say what to do about it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import DTypeLike, NDArray

FILES = Path(__file__).parent / "files"
REMEDY = "restore both files from one release, or train again: see models/README.md"

T = TypeVar("T")
Shape = tuple[int | None, ...]  # None: any length


class ArtefactError(Exception):
    """An artefact is missing, damaged or made for other code. Says what is wrong, what to do."""


def read_toml(path: Path, kind: type[T]) -> T:
    """The manifest at *path*. Raises ArtefactError."""
    try:
        return msgspec.toml.decode(_read(path), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArtefactError(f"{path}: {error}; {REMEDY}") from error


def read_checked(path: Path, sha256: str, manifest: str) -> bytes:
    """The bytes at *path*, of which the file *manifest* says the sum. Raises ArtefactError."""
    content = _read(path)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ArtefactError(f"{path}: sha256 is {found}, {manifest} says {sha256}; {REMEDY}")
    return content


def read_arrays(
    path: Path, sha256: str, manifest: str, wanted: Mapping[str, tuple[DTypeLike, Shape]]
) -> dict[str, NDArray[Any]]:
    """
    The arrays at *path*, of which the file *manifest* says the sum, by name: those of *wanted*,
    with their types and shapes. Raises ArtefactError.
    """
    content = read_checked(path, sha256, manifest)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in wanted}
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ArtefactError(f"{path}: {error}; {REMEDY}") from error
    for name, (dtype, shape) in wanted.items():
        array = arrays[name]
        expected = tuple(
            length if length is not None else given
            for length, given in zip(shape, array.shape, strict=False)
        )
        if array.dtype != dtype or array.ndim != len(shape) or array.shape != expected:
            lengths = ", ".join("any" if one is None else str(one) for one in shape)
            raise ArtefactError(
                f"{path}: {name} is {array.dtype}{list(array.shape)},"
                f" expected {np.dtype(dtype)}[{lengths}]; {REMEDY}"
            )
    return arrays


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path}: {error.strerror or error}; {REMEDY}") from error
