"""What all artefacts are read by."""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np
import pytest

from models.artefact import REMEDY, ArtefactError, read_arrays, read_checked, read_toml

WANTED = {"table": (np.int8, (2, 3)), "line": (np.float64, (None,))}
GOOD = {"table": np.zeros((2, 3), np.int8), "line": np.ones(7)}


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """A small manifest."""

    bits: int


def stored(folder, **arrays):
    """A file of *arrays*, and its sum."""
    path = folder / "weights.npz"
    np.savez(path, **arrays)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def test_arrays_come_back(tmp_path):
    """What was stored is read, any length where any will do, and nothing that was not asked for."""
    path, sha256 = stored(tmp_path, **GOOD, other=np.ones(2))
    found = read_arrays(path, sha256, "it.toml", WANTED)

    assert found.keys() == WANTED.keys()
    assert all((found[name] == GOOD[name]).all() for name in found)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"table": GOOD["table"]}, "line is not a file in the archive"),
        (
            GOOD | {"table": np.zeros((2, 4), np.int8)},
            r"table is int8\[2, 4\], expected int8\[2, 3\]",
        ),
        (GOOD | {"table": np.zeros((2, 3))}, r"table is float64\[2, 3\], expected int8\[2, 3\]"),
        (GOOD | {"line": np.ones((2, 2))}, r"line is float64\[2, 2\], expected float64\[any\]"),
        (GOOD | {"line": np.array([None])}, "Object arrays cannot be loaded"),
    ],
)
def test_other_arrays_are_refused(tmp_path, arrays, message):
    """Arrays that the sum vouches for but nobody can use are refused, and told apart."""
    path, sha256 = stored(tmp_path, **arrays)

    with pytest.raises(ArtefactError, match=message):
        read_arrays(path, sha256, "it.toml", WANTED)


def test_no_archive_is_refused(tmp_path):
    """A file whose sum is right need not be one of arrays."""
    path = tmp_path / "weights.npz"
    path.write_bytes(b"PK")

    with pytest.raises(ArtefactError, match=r"weights\.npz"):
        read_arrays(path, hashlib.sha256(b"PK").hexdigest(), "it.toml", WANTED)


def test_a_changed_file_is_refused(tmp_path):
    """One changed byte is found, and the message carries both sums and the remedy."""
    path = tmp_path / "weights"
    path.write_bytes(b"other")
    wanted = hashlib.sha256(b"as released").hexdigest()

    with pytest.raises(ArtefactError) as raised:
        read_checked(path, wanted, "it.toml")

    sha256 = hashlib.sha256(b"other").hexdigest()
    assert str(raised.value) == f"{path}: sha256 is {sha256}, it.toml says {wanted}; {REMEDY}"


def test_missing_files_are_named(tmp_path):
    """Neither file may be absent, and the message says which is."""
    with pytest.raises(ArtefactError, match=r"absent: No such file or directory; restore"):
        read_checked(tmp_path / "absent", "", "it.toml")
    with pytest.raises(ArtefactError, match=r"it\.toml: No such file or directory; restore"):
        read_toml(tmp_path / "it.toml", Said)


@pytest.mark.parametrize("written", [b"bits = 'x'", b"", b"bits = 1\nmore = 2", b"\xff", b"bits ="])
def test_a_wrong_manifest_is_refused(tmp_path, written):
    """What is no TOML of the right members raises, and names the file."""
    path = tmp_path / "it.toml"
    path.write_bytes(written)
    with pytest.raises(ArtefactError, match=r"it\.toml"):
        read_toml(path, Said)
    path.write_bytes(b"bits = 4")
    assert read_toml(path, Said).bits == 4
