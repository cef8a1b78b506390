"""
The mean of several encoders that were trained on from one another.

``python -m models.train.soup --work var/train --of shipped,round-1,round-2 --name soup`` reads
``NAME-done.pt`` of each and leaves ``soup-done.pt``: what each has forgotten for what it learnt
last, the others still know (Wortsman et al., Model soups, 2022).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch


def mean_of(states: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Weight by weight; all have the same names and shapes."""
    return {name: torch.stack([one[name] for one in states]).mean(0) for name in states[0]}


def main() -> None:
    """Write the mean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    parser.add_argument("--of", required=True, help="names with commas between")
    parser.add_argument("--name", default="soup")
    options = parser.parse_args()
    states = [torch.load(options.work / f"{name}-done.pt") for name in options.of.split(",")]
    torch.save(mean_of(states), options.work / f"{options.name}-done.pt")


if __name__ == "__main__":
    main()
