"""
Plots as geometry: what a template draws as SVG, with a table of the same numbers beside it.

Colours are classes ``s0`` to ``s8`` of the style sheet, so that a plot follows light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

WIDTH, HEIGHT = 560, 190  # of the drawing; it is scaled to the page
LEFT, RIGHT, TOP, BOTTOM = 66, 8, 10, 26  # margins around the marks
GRID = 4  # lines, at most
LABELS = 6  # below the x axis, at most
COLOURS = 9
LEAST = 1e-12  # below it there is nothing to see, and no number to divide by


class Series(msgspec.Struct, frozen=True):
    """One number for each part of time; None where nothing was measured."""

    name: str
    values: tuple[float | None, ...]


class Bar(msgspec.Struct, frozen=True):
    """A rectangle; *title* is read out and shown by the pointer."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    title: str


class Line(msgspec.Struct, frozen=True):
    """A line through *points*, in the syntax of SVG."""

    points: str
    colour: str
    title: str


class Dot(msgspec.Struct, frozen=True):
    """A number without neighbours to draw a line to."""

    x: float
    y: float
    colour: str
    title: str


class Tick(msgspec.Struct, frozen=True):
    """A label at *at* of its axis."""

    at: float
    label: str


class Key(msgspec.Struct, frozen=True):
    """An entry of the legend."""

    colour: str
    name: str
    text: str


class Marks(msgspec.Struct, frozen=True):
    """What stands for the numbers."""

    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()
    dots: tuple[Dot, ...] = ()


class Plot(msgspec.Struct, frozen=True):
    """All that is drawn. *rows* hold the time of a part, then one number for each of *names*."""

    title: str
    summary: str  # one sentence for those who do not see it
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    dots: tuple[Dot, ...]
    grid: tuple[Tick, ...]
    axis: tuple[Tick, ...]
    legend: tuple[Key, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def stacked(
    title: str,
    parts: Sequence[str],
    series: Sequence[Series],
    shown: Callable[[float], str],
    *,
    whole: bool = False,
) -> Plot:
    """
    Bars of *series* upon each other, one for each of *parts*; *shown* writes a number. *whole*:
    numbers are counts, so there are no lines between two of them.
    """
    sums = [sum(one.values[k] or 0.0 for one in series) for k in range(len(parts))]
    top, grid = scale(max(sums, default=0.0), shown, least_step=1.0 if whole else 0.0)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(parts))
    bars = []
    for part, label in enumerate(parts):
        below = 0.0
        for number, one in enumerate(series):
            value = max(0.0, one.values[part] or 0.0)
            if value:
                high = height_of(below + value, top)
                bars.append(
                    Bar(
                        x=round(LEFT + part * step + step * 0.08, 1),
                        y=round(high, 1),
                        width=round(step * 0.84, 1),
                        height=round(height_of(below, top) - high, 1),
                        colour=f"s{number % COLOURS}",
                        title=f"{label}, {one.name}: {shown(value)}",
                    )
                )
            below += value
    legend = [shown(math.fsum(v or 0.0 for v in one.values)) for one in series]
    return finished(title, parts, series, shown, Marks(bars=tuple(bars)), grid=grid, legend=legend)


def lines(
    title: str, parts: Sequence[str], series: Sequence[Series], shown: Callable[[float], str]
) -> Plot:
    """A line for each of *series*; parts without a number are skipped."""
    known = [value for one in series for value in one.values if value is not None]
    top, grid = scale(max(known, default=0.0), shown)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(parts))
    drawn, dots = [], []
    for number, one in enumerate(series):
        colour = f"s{number % COLOURS}"
        points = [
            (round(LEFT + (part + 0.5) * step, 1), round(height_of(value, top), 1))
            for part, value in enumerate(one.values)
            if value is not None
        ]
        if len(points) == 1:
            dots.append(Dot(*points[0], colour, one.name))
        drawn.append(Line(" ".join(f"{x},{y}" for x, y in points), colour, one.name))
    legend = [latest(one, shown) for one in series]
    return finished(
        title,
        parts,
        series,
        shown,
        Marks(lines=tuple(drawn), dots=tuple(dots)),
        grid=grid,
        legend=legend,
    )


def finished(
    title: str,
    parts: Sequence[str],
    series: Sequence[Series],
    shown: Callable[[float], str],
    marks: Marks,
    *,
    grid: tuple[Tick, ...],
    legend: Sequence[str],
) -> Plot:
    """A plot with its axis, its legend and its table."""
    step = (WIDTH - LEFT - RIGHT) / max(1, len(parts))
    every = max(1, math.ceil(len(parts) / LABELS))
    axis = [Tick(LEFT + (k + 0.5) * step, parts[k]) for k in range(0, len(parts), every)]
    keys = [
        Key(f"s{number % COLOURS}", one.name, text)
        for number, (one, text) in enumerate(zip(series, legend, strict=True))
    ]
    told = ", ".join(f"{key.name} {key.text}" for key in keys)
    rows = [
        (label, *("–" if (v := one.values[k]) is None else shown(v) for one in series))
        for k, label in enumerate(parts)
    ]
    return Plot(
        title=title,
        summary=f"{title}: {told or 'nothing yet'}.",
        bars=marks.bars,
        lines=marks.lines,
        dots=marks.dots,
        grid=grid,
        axis=tuple(axis),
        legend=tuple(keys),
        names=tuple(one.name for one in series),
        rows=tuple(rows),
    )


def latest(series: Series, shown: Callable[[float], str]) -> str:
    """The last number that is known."""
    known = [value for value in series.values if value is not None]
    return f"{shown(known[-1])} last" if known else "not measured"


def scale(
    most: float, shown: Callable[[float], str], *, least_step: float = 0.0
) -> tuple[float, tuple[Tick, ...]]:
    """The number at the top of the plot, and lines at round numbers below it, so far apart."""
    if most < LEAST:
        return 1.0, (Tick(height_of(0.0, 1.0), shown(0.0)),)
    rough = most / GRID
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= rough * 0.999)
    step = max(step, least_step)
    count = math.ceil(most / step - 1e-9)
    top = step * count
    return top, tuple(Tick(height_of(step * k, top), shown(step * k)) for k in range(count + 1))


def height_of(value: float, top: float) -> float:
    """The y coordinate of *value*, 0 to *top*."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value / top)
