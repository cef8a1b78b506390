"""Naive twin of kernels/likeness: a dictionary of places. Imports nothing of ours."""

from __future__ import annotations

import math


def fold(
    kinds: list[list[int]], kind_weights: list[float], importance: list[float], size: int
) -> list[float]:
    """The vector of the features of each kind."""
    places: dict[int, float] = {}
    for features, weight in zip(kinds, kind_weights, strict=True):
        length = math.sqrt(sum(importance[one] ** 2 for one in features))
        for one in features if length else []:
            sign = -1.0 if (one // size) % 2 else 1.0
            share = sign * weight * importance[one] / length
            places[one % size] = places.get(one % size, 0.0) + share
    length = math.sqrt(sum(value * value for value in places.values()))
    return [places.get(place, 0.0) / (length or 1.0) for place in range(size)]
