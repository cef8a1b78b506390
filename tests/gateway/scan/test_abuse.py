"""What abuses the gateway, and what only looks like it."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.scan import abuse
from gateway.scan.abuse import BOT, EXHAUSTION, FLOOD, REPETITION, AbuseMonitor

PROMPT = "Please summarise the minutes of our last meeting in three short sentences for the board."
CSV = "\n".join(
    f"2024-03-{i % 28 + 1:02d},{i},store-{i % 7},{i * 37 % 991},EUR,OK" for i in range(900)
)
LOG = "\n".join(
    f"2024-01-01 12:{i // 60:02d}:{i % 60:02d} INFO heartbeat ok service=api status=200"
    for i in range(900)
)
POEM = "\n".join(
    f"{line}\nAnd the river runs on, the river runs on,\nAnd the river runs on to the sea.\n"
    for line in (
        "The miller has ground his last measure of corn,",
        "The ferryman sleeps where the willows are torn,",
        "My mother sang this on the day I was born,",
        "The bells of the valley are rusty and worn,",
    )
)
JSON = json.dumps([{"id": i, "name": None, "value": i * 7, "active": False} for i in range(300)])


NUMBERS = itertools.count()
MONITOR = AbuseMonitor()  # for requests of keys that ask once


def report(text, tokens_in=200, max_tokens=None):
    """The report on the only request of a key."""
    key = f"key-{next(NUMBERS)}"
    return MONITOR.observe(key, "p", text, tokens_in, max_tokens=max_tokens, now_s=0.0)


def reports(texts, seconds, monitor=None):
    """The reports on texts of one key, sent at these seconds."""
    monitor = monitor or AbuseMonitor()
    return [
        monitor.observe("k", "p", text, 50, max_tokens=None, now_s=now)
        for text, now in zip(texts, seconds, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hello " * 300, REPETITION),
        ("A" * 10_000, REPETITION),
        ("\u200b" * 5_000, REPETITION),
        ("买" * 3_000, REPETITION),
        ("Buy now at our shop!\n" * 200, REPETITION),
        (
            " ".join(random.Random(1).choices(["poem", "Poem!", "poem,\n", "poem -"], k=400)),
            REPETITION,
        ),
        ("Repeat the word poem forever.", EXHAUSTION),
        ("Count from 1 to 1,000,000 please.", EXHAUSTION),
        ("Wiederhole das Wort Gedicht endlos.", EXHAUSTION),
        ("永远重复这个词", EXHAUSTION),
    ],
)
def test_a_prompt_that_is_abuse_by_itself(text, kind):
    """Text that goes on repeating, and asks without end, are found at the first request."""
    found = report(text)

    assert found.detected
    assert found.types == (kind,)
    assert found.confidence == found.scores[kind] >= 50.0
    assert found.recommendation == abuse.RECOMMENDATIONS[kind]


@pytest.mark.parametrize(
    "text",
    ["", "Hi", "ha ha ha ha ha", PROMPT, CSV, LOG, POEM, JSON, Path(abuse.__file__).read_text()],
    ids=["empty", "hi", "laughter", "prompt", "csv", "log", "poem", "json", "code"],
)
def test_innocent_text(text):
    """Tables, logs, refrains, data and code repeat much and are no abuse."""
    found = report(text)

    assert not found.detected
    assert found.types == ()
    assert found.recommendation == ""


@pytest.mark.parametrize("text", ["x" + "9Az/" * 10 + PROMPT, "Hi"])
def test_one_weak_sign_is_not_enough(text):
    """A great output limit beside a tiny ask, which many clients always send, is only noted."""
    found = report(text, tokens_in=5, max_tokens=200_000)

    assert not found.detected
    assert found.indicators["output_limit"] == found.scores[EXHAUSTION] == 40.0


def test_a_blob_without_white_space_is_only_noted():
    """Base64 is data, whatever its length."""
    blob = "".join(
        random.Random(2).choices("abcdefghijklmnopqrstuvwxyzABCDEF0123456789+/", k=50_000)
    )

    found = report(blob)

    assert not found.detected
    assert found.indicators["long_token"] > 0.0


def test_weak_signs_add_up():
    """A blob with an output limit far beyond it is likely abuse, though neither is."""
    blob = "".join(
        random.Random(2).choices("abcdefghijklmnopqrstuvwxyzABCDEF0123456789+/", k=50_000)
    )

    assert report(blob, tokens_in=5, max_tokens=200_000).types == (EXHAUSTION,)


def test_a_flood_of_one_prompt():
    """Retries pass; the fortieth copy in a minute does not, whatever its case and numbers."""
    texts = [f"{PROMPT.upper() if i % 2 else PROMPT}  [{i}]" for i in range(40)]

    found = reports(texts, [i * 0.7 + (i * 7919 % 13) * 0.05 for i in range(40)])

    assert not any(one.detected for one in found[:4])
    assert FLOOD in found[-1].types
    assert found[-1].confidence > 90.0


def test_a_flood_of_nearly_one_prompt():
    """A word that changes in a long prompt hides nothing."""
    words = [a + b for a in "abcdefghijkl" for b in ("lan", "ter", "mos", "rik")] * 9
    texts = []
    for i in range(64):
        changed = words.copy()
        changed[i] = "other"
        texts.append(" ".join(changed))

    assert FLOOD in reports(texts, [i * 0.3 for i in range(64)])[-1].types


def test_copies_over_hours_are_no_flood():
    """The same prompt every ten minutes or so is how people work."""
    found = reports([PROMPT] * 60, [i * 700.0 for i in range(60)])

    assert not any(one.detected for one in found)


def test_a_bot_that_takes_its_time():
    """The same prompt every ten seconds on the dot comes from a machine."""
    found = reports([PROMPT] * 30, [i * 10.0 for i in range(30)])

    assert found[-1].types == (BOT,)


def test_the_same_prompt_at_times_of_its_own_is_no_bot():
    """As many copies, as a person sends them, are none."""
    times = sorted(random.Random(3).uniform(0, 590) for _ in range(25))

    assert BOT not in reports([PROMPT] * 25, times)[-1].types


@pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0])
def test_a_batch_of_different_texts_is_no_abuse(seconds):
    """However fast and regular: other sums, other reviews, other rows are other asks."""
    rng = random.Random(4)
    vocabulary = Path(abuse.__file__).read_text().split()
    texts = [f"What is {i} + {i * 3}?" for i in range(70)]
    texts += [f"Classify this review: {' '.join(rng.choices(vocabulary, k=30))}" for _ in range(70)]

    found = reports(texts, [i * seconds for i in range(140)])

    assert not any(one.detected for one in found)


@settings(deadline=None, max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from([PROMPT, "Hi", "b " * 300]), st.floats(0, 5)
        ),
        max_size=40,
    )
)
def test_other_keys_make_no_difference(requests):
    """What is said of a key is the same whether others ask or not."""
    together, alone = AbuseMonitor(), AbuseMonitor()
    now = 0.0
    for key, text, wait in requests:
        now += wait
        found = together.observe(key, "p", text, 9, max_tokens=9, now_s=now)
        if key == "a":
            assert found == alone.observe(key, "p", text, 9, max_tokens=9, now_s=now)


def test_the_same_key_in_another_project_is_another():
    """Names of keys may come again in other projects."""
    monitor = AbuseMonitor()
    reports([PROMPT] * 40, [i * 0.1 for i in range(40)], monitor)

    found = monitor.observe("k", "other", PROMPT, 9, max_tokens=None, now_s=5.0)

    assert not found.detected


def test_state_is_bounded():
    """However many keys ask, the last ones are remembered, those that come back among them."""
    monitor = AbuseMonitor(keys_max=100)
    for i in range(10_000):
        monitor.observe(f"key-{i}", "p", "Hi", 2, max_tokens=None, now_s=i * 1e-3)
        if i % 80 == 0:
            found = monitor.observe("regular", "p", PROMPT, 9, max_tokens=None, now_s=i * 1e-3)
        assert len(monitor) <= 100

    assert found.scores[FLOOD] == 100.0


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=400), st.integers(0, 1 << 40), st.none() | st.integers(0, 1 << 40))
def test_any_request_can_be_judged(text, tokens_in, max_tokens):
    """All scores are percentages, and a type is named if and only if its score says so."""
    found = report(text, tokens_in, max_tokens)

    assert all(
        0.0 <= score <= 100.0 for score in (*found.scores.values(), *found.indicators.values())
    )
    assert set(found.types) == {kind for kind, score in found.scores.items() if score >= 50.0}
    assert found.detected == bool(found.types)


@pytest.mark.parametrize("unit", ["a", "\u200b", "say ", "\ud800", "😀\n", " "])
def test_a_megabyte_of_anything_is_read_in_part(unit):
    """Where nothing but one thing is in a megabyte, that is found in parts of it too."""
    found = report(unit * (1_000_000 // len(unit)))

    assert REPETITION in found.types
