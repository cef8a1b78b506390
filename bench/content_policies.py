"""
How well example sentences find what is asked in other words: the share of paraphrases that are
found, and of prompts about something else that are, by threshold; and how long a check takes.

    python -m bench.content_policies [PROMPTS.jsonl.gz ...]

The policies and their paraphrases are beside this file, written for it. The prompts are rows with
a "text", which all count as innocent of these policies; without files, the other policies'
paraphrases are all there is.
"""

from __future__ import annotations

import gzip
import json
import sys
import timeit
from pathlib import Path

from gateway.core.content_policy import ContentPolicy
from gateway.scan.likeness import embed
from gateway.scan.policies import compile_content_policies

POLICIES = Path(__file__).with_suffix(".jsonl")
THRESHOLDS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
CHARS_MAX = 2_000  # of a prompt


def main(files: list[str]) -> None:
    """Print one line for each threshold, then the time of a check."""
    rows = [json.loads(line) for line in POLICIES.read_text().splitlines()]
    prompts = [
        json.loads(line)["text"][:CHARS_MAX]
        for name in files
        for line in gzip.decompress(Path(name).read_bytes()).splitlines()
    ]
    print("threshold  found  by another policy  prompts with a violation")
    for threshold in THRESHOLDS:
        compiled = compile_content_policies(
            [
                ContentPolicy(
                    name=row["policy"], examples=tuple(row["examples"]), threshold=threshold
                )
                for row in rows
            ],
            embed,
        )
        found = others = 0
        for row in rows:
            for paraphrase in row["paraphrases"]:
                names = {one.policy for one in compiled.check([paraphrase], {}, "")}
                found += row["policy"] in names
                others += bool(names - {row["policy"]})
        total = sum(len(row["paraphrases"]) for row in rows)
        wrong = [text for text in prompts if compiled.check([text], {}, "")]
        print(
            f"{threshold:9.2f}  {found / total:5.0%}  {others / total:17.0%}"
            f"  {len(wrong)} of {len(prompts)}"
        )
    text = " ".join(one for row in rows for one in row["paraphrases"])[:CHARS_MAX]
    runs = 50
    seconds = min(timeit.repeat(lambda: compiled.check([text], {}, ""), number=runs, repeat=5))
    print(f"one check of {len(text)} characters: {seconds / runs * 1e6:.0f} us")


if __name__ == "__main__":
    main(sys.argv[1:])
