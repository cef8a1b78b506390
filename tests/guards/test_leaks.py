"""Nothing of the machine that the code was written on may be in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".cfg", ".ini", ".sh", ".mako", ""}
# Spelt apart, so that this file does not find itself.
HOSTS = ("pypi." + "org", "python" + "hosted", "registry." + "npmjs", "deb." + "debian")
FOREIGN = re.compile("|".join([r"/(?:work|home|root|Users)/[\w.-]+", *map(re.escape, HOSTS)]))


def tracked_files() -> list[Path]:
    """The files of the repository; all that are there where git is not."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = listed.stdout.splitlines() if listed.returncode == 0 else []
    return [ROOT / name for name in names if (ROOT / name).suffix in TEXT]


def test_no_machine_paths_and_no_registry_hosts():
    """A path of a home folder or the host of a package registry is a leak."""
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked_files()
        if path.is_file() and path.resolve() != Path(__file__).resolve()
        for match in [FOREIGN.search(path.read_text(errors="replace"))]
        if match is not None
    ]

    assert found == []
