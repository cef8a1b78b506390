"""Tell plain words from letters that only look like them, with a word list and letter pairs."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from kernels import normal as kernel

WORDLIKE_PER_PAIR = -3.4  # mean log probability of a letter pair: English -2.4, random about -5
LETTERS_MIN = 6  # fewer say nothing about a text
LETTER_SHARE_MIN = 0.55  # of a text's characters, spaces among them
OTHER_SCRIPT_SHARE_MIN = 0.5  # letters of other scripts, which no pair here knows
READ_CHARS = 2_000  # of a text, to see whether it is words
COST_PER_PAIR = 60  # hundredths: keeps noise from adding up to a gain

ROT13 = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm",
)


def _read() -> tuple[frozenset[str], NDArray[np.int16]]:
    """The word list, and int16[27, 27] of letter pairs."""
    text = resources.files("gateway.scan").joinpath("normal_words.toml").read_text("utf-8")
    table = tomllib.loads(text)
    return frozenset(table["words"].split()), np.array(table["pairs"], dtype=np.int16)


WORDS, PAIRS = _read()


def _reading_gains() -> NDArray[np.int16]:
    """int16[READINGS, PAIRS * PAIRS] for ``best_readings``: hundredths gained by each pair."""
    turn = np.array([0, *(k + 13 if k <= 13 else k - 13 for k in range(1, 27))])
    turned = PAIRS[np.ix_(turn, turn)]
    gains = np.zeros((kernel.READINGS, kernel.PAIRS, kernel.PAIRS), dtype=np.int16)
    for k, reading in enumerate((turned, PAIRS.T, turned.T)):
        gains[k, :27, :27] = reading - PAIRS - COST_PER_PAIR
    return np.ascontiguousarray(gains.reshape(kernel.READINGS, -1))


GAINS = _reading_gains()


def pair_score(text: str) -> float:
    """
    Mean natural log probability of the letter pairs of *text*, about -6 to -2; minus infinity
    without any. Letters outside a to z count as word ends.
    """
    raw = np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)
    letters = kernel.LETTER_OF[raw]
    pairs = PAIRS[letters[:-1], letters[1:]][(letters[:-1] | letters[1:]) > 0]
    return float(pairs.mean()) / 100 if pairs.size else float("-inf")


def is_words(text: str) -> bool:
    """
    Whether *text* reads as words: printable, mostly letters, and letters that follow each other as
    in a European language, or letters of another script.
    """
    read = text[:READ_CHARS]
    letters = sum(map(str.isalpha, read))
    if letters < LETTERS_MIN:
        return False
    if letters + read.count(" ") < LETTER_SHARE_MIN * len(read):
        return False
    others = letters - sum(map(str.isalpha, read.encode("latin-1", "ignore").decode("latin-1")))
    if others >= OTHER_SCRIPT_SHARE_MIN * letters:
        return True
    return pair_score(read) >= WORDLIKE_PER_PAIR


@functools.lru_cache(maxsize=4_096)
def likeliest(choices: tuple[str, ...]) -> str:
    """
    The likeliest word of those that one letter of each of *choices* makes, by its letter pairs.

    Letters are a to z in lower case; each choice holds one or more. Viterbi: linear in the word.
    """
    best = {"": (0.0, "")}  # by last letter: score, word
    for choice in (*choices, " "):
        best = {
            letter: max(
                (score + float(PAIRS[_index(last), _index(letter)]), word + letter)
                for last, (score, word) in best.items()
            )
            for letter in choice
        }
    return best[" "][1].rstrip()


def _index(letter: str) -> int:
    return ord(letter) - 96 if "a" <= letter <= "z" else 0
