"""
What a label costs: ``python -m bench.classifier PROMPTS.jsonl``.

PROMPTS holds rows as ``switchyard classify`` reads them, ids and text or messages, best those that
no stage has learnt from. Everything runs on one core, the event loop of the load included, as in a
gateway that has only one. The load is open: a prompt comes when it is due, whether or not the
ones before it were answered, and its latency counts from then.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from statistics import fmean, median, quantiles

import msgspec
from rich.console import Console
from rich.table import Table

from gateway.cli.classify import ROW, chat_of
from gateway.signals.excerpt import read_excerpt
from models.artefact import FILES
from models.cascade import is_settled
from models.classifier import Classifier, load_classifier
from models.encoder import Encoder
from models.linear import FirstStage
from models.options import DEFAULTS, PATIENT

console = Console()

TOKENS = (16, 32, 64, 128)
CALLERS = (1, 4, 16)
RATES = (100, 300, 1000)
RUNS = 100
CLOSED_PROMPTS = 200
WORDS = ("time", "year")  # one token each, of every vocabulary
NO_MEMORY_BYTES = 0  # the dev mix is short: repeated, it would be answered from memory


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prompts", type=Path, help="JSON lines, may end in .gz")
    parser.add_argument("--files", type=Path, default=FILES, help="folder of the artefacts")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    texts = excerpts(options.prompts)
    first_stage, encoder = FirstStage.load(options.files), Encoder.load(options.files)
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    console.print(f"{encoder.describe()}; {len(texts)} prompts; load average {busy}")
    console.print(stages(first_stage, encoder, texts))
    console.print(cascade(first_stage, encoder, texts))
    console.print(asyncio.run(closed(options.files)))
    console.print(asyncio.run(loads(texts, options.files, options.seconds)))


def excerpts(path: Path) -> list[str]:
    """What the gateway would classify of each row."""
    content = path.read_bytes()
    lines = (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()
    return [read_excerpt(chat_of(ROW.decode(line))).text for line in lines]


def text_of(tokens: int, number: int) -> str:
    """One of the 2 ** (tokens - 2) different texts of so many *tokens*, the two ends included."""
    return " ".join(WORDS[number >> at & 1] for at in range(tokens - 2))


class Time(msgspec.Struct, frozen=True):
    """Milliseconds: of the clock, and of the CPU alone, which neighbours disturb less."""

    wall_ms: float
    cpu_ms: float


def timed(call: Callable[[], object]) -> Time:
    """How long one *call* takes."""
    wall_s, cpu_s = time.perf_counter(), time.thread_time()
    call()
    cpu_ms = 1e3 * (time.thread_time() - cpu_s)
    return Time(wall_ms=1e3 * (time.perf_counter() - wall_s), cpu_ms=cpu_ms)


def stages(first_stage: FirstStage, encoder: Encoder, texts: list[str]) -> Table:
    """Each stage on its own, tokenizing included."""
    table = Table(
        "one prompt, ms", "p50", "p50 CPU", "target", title="stages", title_justify="left"
    )

    def row(name: str, times: list[Time], target: str) -> None:
        wall, cpu = median(t.wall_ms for t in times), median(t.cpu_ms for t in times)
        table.add_row(name, f"{wall:.3f}", f"{cpu:.3f}", target)

    row("first stage", [timed(lambda t=t: first_stage.score(t)) for t in texts], "0.12")
    for tokens, target in zip(TOKENS, ("", "", "4", "8"), strict=True):
        text = text_of(tokens, 0)
        times = [timed(lambda text=text: encoder.read([text])) for _ in range(RUNS)]
        row(f"encoder, {tokens} tokens", times, target)
    return table


def cascade(first_stage: FirstStage, encoder: Encoder, texts: list[str]) -> Table:
    """The mix, under the shipped thresholds and without a memory."""
    thresholds = encoder.serving.thresholds
    asked = [text for text in texts if not is_settled(first_stage.score(text), thresholds)]
    first = mean([timed(lambda t=t: first_stage.score(t)) for t in texts])
    second = mean([timed(lambda t=t: encoder.read([t])) for t in asked])
    share = len(asked) / len(texts)
    whole = Time(first.wall_ms + share * second.wall_ms, first.cpu_ms + share * second.cpu_ms)
    table = Table("mean, ms", "clock", "CPU", "target", title="cascade", title_justify="left")
    for name, one, target in (
        ("first stage, all", first, ""),
        (f"encoder, {share:.0%} of the mix", second, ""),
        ("cascade", whole, "1.5"),
    ):
        table.add_row(name, f"{one.wall_ms:.3f}", f"{one.cpu_ms:.3f}", target)
    return table


def mean(times: list[Time]) -> Time:
    """Their mean, nothing of none."""
    if not times:
        return Time(0.0, 0.0)
    return Time(fmean(t.wall_ms for t in times), fmean(t.cpu_ms for t in times))


async def closed(files: Path) -> Table:
    """Callers who each wait for an answer before they ask something else, without a deadline."""
    headings = [f"{tokens} tokens" for tokens in TOKENS]
    table = Table("callers", *headings, title="p50 ms, p99 ms, prompts/s", title_justify="left")
    classifier = load_classifier(msgspec.structs.replace(PATIENT, memory_bytes_max=0), files)
    for callers in CALLERS:
        cells = []
        for tokens in TOKENS:
            latencies: list[float] = []
            texts = (text_of(tokens, number) for number in count())
            begun = time.perf_counter()
            await asyncio.gather(*(caller(classifier, texts, latencies) for _ in range(callers)))
            rate = len(latencies) / (time.perf_counter() - begun)
            p99 = quantiles(latencies, n=100)[98]
            cells.append(f"{median(latencies):.1f}, {p99:.1f}, {rate:.0f}")
        table.add_row(str(callers), *cells)
    classifier.close()
    return table


async def caller(classifier: Classifier, texts: Iterator[str], latencies: list[float]) -> None:
    """Ask until CLOSED_PROMPTS were answered, whoever asked them."""
    while len(latencies) < CLOSED_PROMPTS:
        begun = time.perf_counter()
        await classifier.submit(next(texts))
        latencies.append(1e3 * (time.perf_counter() - begun))


async def loads(texts: list[str], files: Path, seconds: float) -> Table:
    """Latency that classifying adds, and who answered, at each rate."""
    table = Table(
        *("prompts/s", "p50 ms", "p99 ms", "max ms", "target p99", "answered by"),
        title="open load, one core, deadline of the gateway",
        title_justify="left",
    )
    for rate in RATES:
        options = msgspec.structs.replace(DEFAULTS, memory_bytes_max=NO_MEMORY_BYTES)
        classifier = load_classifier(options, files)
        latencies, answered = await offered(classifier, texts, rate, seconds)
        classifier.close()
        p = quantiles(latencies, n=100)
        shares = ", ".join(f"{name} {n / len(latencies):.0%}" for name, n in answered.most_common())
        cells = (p[49], p[98], max(latencies))
        table.add_row(str(rate), *(f"{x:.2f}" for x in cells), "20", shares)
    return table


async def offered(
    classifier: Classifier, texts: list[str], rate: int, seconds: float
) -> tuple[list[float], Counter[str]]:
    """Milliseconds from when each prompt was due, and how many each stage answered."""
    draw = random.Random(rate)  # noqa: S311 - a schedule, no secret
    latencies: list[float] = []
    answered: Counter[str] = Counter()
    begun = time.perf_counter()

    async def one(text: str, due_s: float) -> None:
        scores = await classifier.submit(text)
        latencies.append(1e3 * (time.perf_counter() - due_s))
        answered[scores.stage] += 1

    tasks, due_s = [], begun
    while due_s < begun + seconds:
        due_s += draw.expovariate(rate)
        early_s = due_s - time.perf_counter()
        if early_s > 0.0:
            await asyncio.sleep(early_s)
        tasks.append(asyncio.create_task(one(draw.choice(texts), due_s)))
    await asyncio.gather(*tasks)
    return latencies, answered


if __name__ == "__main__":
    main()
