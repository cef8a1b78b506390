"""The same request in other clothes: what the label must not depend on."""

from __future__ import annotations

from pathlib import Path
from random import Random

from models.excerpt import ASK_MARK, join_excerpt
from models.train.data import ask_before_paste

WORDS_MIN = 4  # a shorter text is not an ask that context could stand beside
PASSAGE_CHARS = (120, 900)
# Shares of the rows that each change befalls.
CONTEXT_AFTER = 0.10
CONTEXT_BEFORE = 0.15
TURNS_BEFORE = 0.12
SYSTEM = 0.3
SYSTEM_OF_A_TASK = 0.25  # of those: it asks for something else than the prompt
INSTRUCTED = 0.5  # of the prompts that are a short ask and a long text below it
OPENING = 0.08
TYPOS = 0.08
NO_END = 0.10
OPENINGS = (
    *("Hi, ", "Hello! ", "hey, ", "Please ", "Can you help? ", "Quick one: ", "I need this: "),
    *("Hi there, could you help me with something? ", "ok so ", "Good morning. ", "Task: "),
    *("I'd like your help. ", "[urgent] ", "Question: ", "Thanks in advance. ", "so, "),
)
LEADS = ("", "", "", "Context:\n", "Here is some background:\n", "Document:\n", "For reference:\n")
SYSTEMS = Path(__file__).with_name("systems.txt")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Augmenter:
    """
    Draws changes from *passages* (pasted context), *asks* (turns before) and system prompts: those
    of SYSTEMS, which set no task, and *systems*, which do.
    """

    def __init__(self, passages: list[str], asks: list[str], systems: list[str]) -> None:
        self.passages = passages
        self.asks = asks
        self.systems = systems
        self.manners = SYSTEMS.read_text(encoding="utf-8").splitlines()

    def __call__(self, text: str, draw: Random, *, english: bool) -> str:
        """A changed *text*; often the same. *english*: the openings fit."""
        if ASK_MARK in text:
            return text
        ask = ask_before_paste(text)
        if ask and draw.random() < INSTRUCTED:
            return self.instructed(ask, text[len(ask) :].strip(), draw)
        if draw.random() < NO_END:
            text = text.rstrip(" .?!。？！")
        if draw.random() < TYPOS:
            text = with_typos(text, draw)
        if english and draw.random() < OPENING:
            text = draw.choice(OPENINGS) + text
        text, turns = self.surrounded(text, draw)
        if draw.random() < SYSTEM:
            some = self.systems if draw.random() < SYSTEM_OF_A_TASK else self.manners
            turns = [("system", draw.choice(some)), *turns]
        return join_excerpt(text, turns)

    def instructed(self, ask: str, text: str, draw: Random) -> str:
        """The *ask* as an operator writes it, once for all that comes, and the *text* alone."""
        manner = f"{draw.choice(self.manners)}\n" if draw.random() < 0.5 else ""
        return join_excerpt(text, [("system", manner + ask)])

    def surrounded(self, text: str, draw: Random) -> tuple[str, list[tuple[str, str]]]:
        """With context before or after, and the turns before it, if any."""
        chance = draw.random()
        if len(text.split()) < WORDS_MIN and len(text.encode()) < 4 * WORDS_MIN:
            return text, []
        if chance < CONTEXT_AFTER:
            return f"{text}\n\n{self.passage(draw)}", []
        if chance < CONTEXT_AFTER + CONTEXT_BEFORE:
            return f"{self.passage(draw)}\n\n{text}", []
        if chance < CONTEXT_AFTER + CONTEXT_BEFORE + TURNS_BEFORE:
            return text, [("user", draw.choice(self.asks)), ("assistant", self.passage(draw))]
        return text, []

    def passage(self, draw: Random) -> str:
        """A passage that has nothing to do with anything."""
        passage = draw.choice(self.passages)
        return draw.choice(LEADS) + passage[: draw.randint(*PASSAGE_CHARS)]


def with_typos(text: str, draw: Random) -> str:
    """One letter in about thirty swapped, dropped, doubled or wrong."""
    letters = list(text[:1_000])
    for _ in range(max(1, len(letters) // 30)):
        at = draw.randrange(len(letters))
        if not letters[at].isalpha():  # or dropped already
            continue
        kind = draw.randrange(4)
        if kind == 0 and at + 1 < len(letters) and letters[at + 1].isalpha():
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        elif kind == 1:
            letters[at] = ""
        elif kind == 2:
            letters[at] *= 2
        elif letters[at].isascii():
            letters[at] = draw.choice(LETTERS)
    return "".join(letters) + text[1_000:]
