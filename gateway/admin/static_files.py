"""The style sheet, the script and the icon: read once, told apart by what they hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
PREFIX = "/admin/static/"
LASTING = "public, max-age=31536000, immutable"  # the address changes with what is there


class StaticFile(msgspec.Struct, frozen=True):
    """One file, as it is sent."""

    body: bytes
    content_type: str
    digest: str


def read_files(folder: Path = FOLDER) -> dict[str, StaticFile]:
    """All files of *folder* that a browser is sent, by name."""
    return {
        path.name: StaticFile(
            body=(body := path.read_bytes()),
            content_type=TYPES[path.suffix],
            digest=hashlib.blake2b(body, digest_size=8).hexdigest(),
        )
        for path in sorted(folder.iterdir())
        if path.suffix in TYPES
    }


def address(name: str, files: dict[str, StaticFile]) -> str:
    """The path of the file *name*."""
    return f"{PREFIX}{name}?{files[name].digest}"
