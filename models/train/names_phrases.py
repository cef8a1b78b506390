"""Sentences written for training, filled with names from lists: what the data has too little of."""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

WORDS = Path(__file__).with_name("names_words.toml")
PHRASES = Path(__file__).with_name("names_phrases.toml")
SLOT = re.compile(r"\{([A-Za-z])\}")
UNSPACED = ("ja", "zh", "ko")  # names and addresses there are glued together
FAMILY_FIRST = ("ja", "zh", "ko", "vi")
TYPE_OF = {"P": "PERSON", "G": "PERSON", "S": "PERSON", "O": "ORGANIZATION", "L": "LOCATION"}
TYPE_OF["A"] = "ADDRESS"


class Labelled(msgspec.Struct, frozen=True):
    """
    A text with its names: start, end (exclusive) and type of each, sorted. What lies in *open*
    ones may be a name or not: nobody has looked.
    """

    text: str
    spans: tuple[tuple[int, int, str], ...]
    weight: float = 1.0
    open: tuple[tuple[int, int], ...] = ()


def read_words() -> dict[str, dict[str, list[str]]]:
    """The lists of names by language."""
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    for lists in words.values():
        for kind in ("given", "family"):
            lists[kind] = lists[kind].split("|" if "|" in lists[kind] else None)
    return words


def read_phrases() -> dict[str, Any]:
    """The sentences by language, and the list of brands."""
    return tomllib.loads(PHRASES.read_text(encoding="utf-8"))


class Filler:
    """Fills the slots of sentences of one language, by chance but the same for the same seed."""

    def __init__(
        self, lang: str, lists: dict[str, list[str]], brands: list[str], seed: str
    ) -> None:
        self.lang = lang
        self.lists = lists
        self.brands = brands
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.glue = "" if lang in UNSPACED else " "

    def number(self) -> str:
        """1 to 10 digits."""
        return str(self.random.randrange(1, 10 ** self.random.randint(1, 10)))

    def digits(self, form: str) -> str:
        """*form* with a digit for each 9 and a capital for each A before a digit or a capital."""
        form = re.sub("9", lambda _: str(self.random.randrange(10)), form)
        return re.sub(
            r"\bA+(?=\d)|(?<=\d)A+\b|\bAA\b|(?<=\d)A(?=\d)",
            lambda found: "".join(self.random.choice("ABCDEGHJKLMNPRSTWX") for _ in found[0]),
            form,
        )

    def person(self) -> str:
        """A given name and a family name, in the order and the forms of the language."""
        given, family = self.random.choice(self.lists["given"]), self.family()
        if self.lang in FAMILY_FIRST:
            glue = self.random.choice(["", "", " ", "　"]) if self.lang == "ja" else self.glue
            return f"{family}{' ' if self.lang == 'vi' else glue}{given}"
        chance = self.random.random()
        if chance < 0.08:
            given = f"{given} {self.random.choice(self.lists['given'])}"
        elif chance < 0.13 and self.lang == "en":
            given = f"{given} {self.random.choice('ABCDEFGHJKLMPRSTW')}."
        elif chance < 0.15 and self.lang == "en":
            given = f"{given[0]}."
        elif chance < 0.19 and self.lang not in ("ru", "ar", "hi"):
            family = f"{family}-{self.family()}"
        elif chance < 0.3 and self.lang in ("es", "pt"):
            family = f"{family} {self.family()}"
        return f"{given} {family}"

    def family(self) -> str:
        """A family name."""
        return self.random.choice(self.lists["family"])

    def organisation(self) -> str:
        """A company or an institution."""
        lists, pick, chance = self.lists, self.random.choice, self.random.random()
        name, end = pick(lists["companies"]), pick(lists["company_ends"])
        if "industries" in lists and chance < 0.35:
            name = pick([name.split()[0], self.family(), pick(lists["places"])])
            end = "" if chance < 0.2 else end.strip(", ")
            return f"{name} {pick(lists['industries'])} {end}".strip()
        if "made_names" in lists and chance < 0.5:
            made = re.sub(r"\{f\}", lambda _: self.family(), pick(lists["made_names"]))
            return made.replace("{g}", pick(lists["given"])).replace("{l}", pick(lists["places"]))
        if chance < 0.6 and self.lang in ("en", "de", "nl", "fr"):
            name = self.family()
        if end.startswith("<"):
            return f"{end[1:]}{self.glue}{name}"
        if end and not end.startswith(",") and self.lang not in ("ja", "zh"):
            return f"{name}{'' if self.glue == '' else ' '}{end}"
        return f"{name}{end}"

    def address(self) -> str:
        """A street with number, mostly with a town and a postcode."""
        lists = self.lists
        street = self.random.choice(lists["streets"]).replace(
            "{s}", self.random.choice(lists["street_names"])
        )
        size = 1 if self.lang in ("ja", "zh") else self.random.choice([1, 2, 2, 3, 4])
        street = re.sub(r"\{n\}", lambda _: str(self.random.randrange(1, 10**size)), street)
        if self.random.random() < 0.2:
            return street
        town = self.random.choice(lists["towns"])
        town = self.digits(town).replace("{t}", self.random.choice(lists["places"]))
        if town.startswith("<"):
            return f"{town[1:]}{' ' if self.lang == 'ko' else ''}{street}"
        return f"{street}{self.random.choice([', ', ', ', ', ', chr(10), ' '])}{town}"

    def value(self, slot: str) -> str:
        """What to put into a slot."""
        pick, lists = self.random.choice, self.lists
        if slot == "D":
            day, month, year = pick(range(1, 29)), pick(range(1, 13)), pick(range(1930, 2026))
            return pick([f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}"])
        if slot == "E":
            user = pick(["info", "kontakt", "j.doe", "sales", "mk81"])
            return f"{user}@example.{pick(['com', 'org'])}"
        if slot == "T":
            return self.digits(
                pick(["+49 999 999999", "(999) 555-0199", "099 999 99 99", "555-0199"])
            )
        if slot in "lg":
            return pick(lists["places" if slot == "l" else "given"])
        makers = {
            "P": self.person,
            "O": self.organisation,
            "A": self.address,
            "N": self.number,
            "S": self.family,
        }
        if slot in makers:
            return makers[slot]()
        return pick({"G": lists["given"], "L": lists["places"], "B": self.brands}[slot])

    def fill(self, phrase: str) -> Labelled:
        """The sentence with all slots filled."""
        phrase = phrase.replace("\\n", "\n")
        text, spans, at = "", [], 0
        for slot in SLOT.finditer(phrase):
            text += phrase[at : slot.start()]
            value = self.value(slot[1])
            if slot[1] in TYPE_OF:
                spans.append((len(text), len(text) + len(value), TYPE_OF[slot[1]]))
            text, at = text + value, slot.end()
        return Labelled(text + phrase[at:], tuple(spans))


def phrases(copies: int, seed: int = 0) -> list[Labelled]:
    """Each sentence *copies* times, each time with other names."""
    words, sentences, found = read_words(), read_phrases(), []
    brands = sentences.pop("brands")["all"]
    for lang, kinds in sentences.items():
        filler = Filler(lang, words[lang], brands, f"{seed}-{lang}")
        lines = [line for kind in kinds.values() for line in kind.split("\n") if line]
        found += [filler.fill(line) for line in lines for _ in range(copies)]
    return found
