"""
A small copy of the data packs, to see in minutes whether the whole training still runs.

``python -m models.train.sample --data DATA --out FOLDER`` writes every ``PACK/NAME.jsonl.gz`` with
at most ``--rows`` of its rows, spread evenly over the file: files that are sorted keep all sources.
What is trained on the copy is worth nothing. ``make train QUICK=1`` does all of it.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

ROWS_MAX = 400
FILES = "*/*.jsonl.gz"


def spread(lines: list[bytes], most: int) -> list[bytes]:
    """*most* of the *lines*, at equal distances, or all of them."""
    if len(lines) <= most:
        return lines
    return [lines[at * len(lines) // most] for at in range(most)]


def copy(data: Path, out: Path, most: int) -> int:
    """Write the small copy of *data* to *out*; the number of rows. Raises SystemExit on no data."""
    paths = sorted(data.glob(FILES))
    if not paths:
        raise SystemExit(f"{data} holds no {FILES}: name the folder of the data packs with DATA=")
    total = 0
    for path in paths:
        lines = spread(gzip.decompress(path.read_bytes()).splitlines(keepends=True), most)
        target = out / path.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(b"".join(lines), mtime=0))
        total += len(lines)
    return total


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write a small copy of the data packs.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data packs")
    parser.add_argument("--out", type=Path, required=True, help="folder of the copy")
    parser.add_argument("--rows", type=int, default=ROWS_MAX, help="of each file, at most")
    options = parser.parse_args()
    print(f"{options.out}: {copy(options.data, options.out, options.rows)} rows")


if __name__ == "__main__":
    main()
