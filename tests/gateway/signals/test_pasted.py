"""Tests of gateway/signals/pasted.py."""

from __future__ import annotations

import pytest

from gateway.signals.pasted import beside_paste, is_ask, is_heading, looks_pasted

PROSE = (
    "The mill stood idle for eleven years before anyone asked about the wheel, which had been sold"
    " to a foundry downstream. The parish paid for the road and the bridge, and never for the race."
)
LETTERS = (
    'P1. "The wheel is ours."\nP2. "The wheel was never paid."\nP3. "We have a receipt."\n' * 3
)
TALK = "\n".join(
    f"{who}: I said so on day {day}, twice." for day in range(4) for who in ("Ann", "Bo")
)
GERMAN = "Der Betrieb ruhte elf Jahre, dann kaufte die Gemeinde das Rad zurück. " * 4
JAPANESE = (
    "「先週の金曜までと伝えたはずです。月末に予算会議があるので、遅くても二十五日までに必要です。」"
    * 3
)

FOUND = {
    "ask before quoted lines": (f"Who owns the wheel?\n\n{LETTERS}", "Who owns the wheel?"),
    "ask before a conversation": (
        f"List what was agreed on.\n\n{TALK}",
        "List what was agreed on.",
    ),
    "ask behind a conversation": (f"{TALK}\n\nWhat was agreed on?", "What was agreed on?"),
    "announced by a colon": (f"Translate to German:\n\n{PROSE}", "Translate to German:"),
    "pointing down": (
        f"Sum up the following in a line\n\n{PROSE}",
        "Sum up the following in a line",
    ),
    "pointing at an email": (f"Answer this angry email\n\n{PROSE}", "Answer this angry email"),
    "pointing in German": (f"Kürze den folgenden Text\n\n{GERMAN}", "Kürze den folgenden Text"),
    "pointing in Japanese": (f"次のメールを短くして\n\n{JAPANESE}", "次のメールを短くして"),
    "quotation on the same line": (f'make it polite: "{PROSE}"', "make it polite"),
    "retrieved passages with a heading": (
        f"Retrieved passages:\n- {PROSE}\n\nHow long did it stand idle?",
        "How long did it stand idle?",
    ),
    "heading without a colon": (
        f"Rules retrieved\nR1 {PROSE}\n\nWhat does she get?",
        "What does she get?",
    ),
    "question template with a slot for the answer": (
        f"Use only the context.\nContext: {PROSE}\nQuestion: who paid for the road?\nAnswer:",
        "Question: who paid for the road?",
    ),
    "asked again behind the paste": (
        f"Below is a letter:\n\n{LETTERS}\n\nWho is right?",
        "Below is a letter:\n\nWho is right?",
    ),
    "told behind an announced paste": (
        f"Here is what I know:\n\n{LETTERS}\n\nWrite the reply to the parish.",
        "Here is what I know:\n\nWrite the reply to the parish.",
    ),
}

KEPT = {
    "list of wishes": "Plan a trip:\n- two days in Porto\n- no museums\n" + "- good food\n" * 20,
    "requirements": f"Build a form with these requirements:\n\n{PROSE}",
    "code": "What is wrong with this:\n\ndef area(r):\n    return 3 * r\n" + "    x = 1\n" * 30,
    "SQL": "The query:\n\nSELECT a FROM t\nWHERE a > 1\n" + "JOIN u ON u.a = t.a\n" * 12,
    "equations": "Solve for x:\n\n(x + y) = 3\n(x - y) = 1\n" + "(x + z) = 5\n" * 20,
    "numbered problems": f"Solve these, with steps.\n\nProblem 1) {PROSE}\n\nProblem 2) {PROSE}",
    "Markdown prompt": f"## Goal\n{PROSE}\n\n## Context\n{PROSE}\n\n## Output\nA table.",
    "prose in paragraphs": f"I run a mill.\n\n{PROSE}\n\n{PROSE}\n\nWhat would you do in my place?",
    "short paste": "Translate to German:\n\nGood morning, dear neighbours.",
    "ask that goes on behind a quotation": f'I have this:\n"{PROSE}". Make it a script for a video',
    "one line": PROSE,
    "a title": f"FINAL EXAM\n\nQuestion 1. {PROSE}",
}


@pytest.mark.parametrize(("message", "ask"), FOUND.values(), ids=FOUND)
def test_beside_paste_finds_the_ask(message, ask):
    """A short ask is told from the text that it is about."""
    assert beside_paste(message) == ask


@pytest.mark.parametrize("message", KEPT.values(), ids=KEPT)
def test_beside_paste_keeps_what_specifies(message):
    """What may be part of the ask is not cut."""
    assert beside_paste(message) == message


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("Sources:", True),
        ("Search results for mills:", True),
        ("Gevonden fragmenten:", True),
        ("Rules retrieved", True),
        ("## Retrieved documents:", True),
        ("[page text]", True),
        ("Compare both of these documents:", False),
        ("What are the results?", False),
        ("Notes on how I would like you to write my speech for the wedding of my sister:", False),
    ],
)
def test_is_heading(line, heading):
    """A heading names passages in its first words, and asks for nothing."""
    assert is_heading(line) is heading


@pytest.mark.parametrize(
    ("text", "pasted"),
    [
        (TALK, True),
        (LETTERS, True),
        ("2024-05-01 ok\n2024-05-02 ok", True),
        ('{"a": 1}', True),
        (PROSE, False),
        ("- milk\n- eggs", False),
        (f"{PROSE}\n{LETTERS}", False),
        ("", False),
    ],
)
def test_looks_pasted(text, pasted):
    """Half of the lines and the first decide."""
    assert looks_pasted(text) is pasted


@pytest.mark.parametrize(
    ("block", "ask"),
    [
        ("main takeaways?", True),
        ("Question: who paid?", True),
        ("Make a table of every mill: year, owner", True),
        ("用一句话概括这通电话：", True),
        ("", False),
        ("d.\n400", False),
        ("}", False),
        ("Ann: I said so", False),
        ("x" * 701, False),
    ],
)
def test_is_ask(block, ask):
    """A block can be an ask when it is short and no quotation, option or code."""
    assert is_ask(block) is ask
