"""
How long it takes to judge a request for abuse, by its size and what it is made of, and how many of
given prompts are taken for abuse by themselves.

    python -m bench.abuse [PROMPTS.jsonl.gz ...]
"""

from __future__ import annotations

import gzip
import json
import sys
import timeit
from functools import partial
from itertools import count
from pathlib import Path

from gateway.scan.abuse import AbuseMonitor

PROSE = (Path(__file__).parent / "README.md").read_text()
MADE_OF = {"prose": PROSE, "one letter": "a", "one word": "say ", "invisible": "\u200b"}
SIZES = (2_000, 64_000, 1_000_000)  # characters
RUNS = 20


def main(files: list[str]) -> None:
    """Print a line for each text, then one for each file."""
    monitor, numbers = AbuseMonitor(), count()
    for name, unit in MADE_OF.items():
        for size in SIZES:
            text = (unit * (size // len(unit) + 1))[:size]
            judge = partial(judged, monitor, text, numbers)
            seconds = min(timeit.repeat(judge, number=RUNS, repeat=5)) / RUNS
            print(f"{name:10} {size:9,} characters  {seconds * 1e6:7.0f} us")
    for file in files:
        rows = [json.loads(row) for row in gzip.decompress(Path(file).read_bytes()).splitlines()]
        found = [row for row in rows if judged(monitor, row["text"], numbers)]
        print(f"{file}: {len(found)} of {len(rows)}")


def judged(monitor: AbuseMonitor, text: str, numbers: count[int]) -> bool:
    """Whether *text* is taken for abuse as the first request of a key."""
    key = str(next(numbers))
    return monitor.observe(key, "bench", text, 500, max_tokens=500, now_s=0.0).detected


if __name__ == "__main__":
    main(sys.argv[1:])
