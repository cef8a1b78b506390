"""The labelled prompts that the first stage learns from."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from models.excerpt import join_excerpt
from models.scores import TASK_TYPES

AUTHORED = ("authored/{}.jsonl.gz", "authored/conversations-{}.jsonl.gz")
PHRASES = Path(__file__).with_name("phrases.toml")
PHRASE_WEIGHT = 0.6  # of a prompt; from 0.1 to 1 the results hardly differ
COPY_WEIGHT = 0.5  # of a prompt without its material
PRIOR_TURNS = 2  # as many as the gateway keeps

# The gateway cuts a pasted text away from a short ask in front of it, see gateway/signals/ask.
ASK_BLOCK_CHARS_MAX = 700
PASTE_CHARS_MIN = 160


class Row(msgspec.Struct, frozen=True):
    """
    One prompt. *group*: all that is left out together when its author or source is. *complexity*
    is None where nobody has judged it. *scored*: it counts in the evaluation (copies do not).
    """

    text: str  # an excerpt, as models.excerpt joins it
    label: int  # index in TASK_TYPES
    complexity: float | None
    lang: str
    group: str
    weight: float = 1.0
    scored: bool = True

    @property
    def written(self) -> bool:
        """Written for this task, rather than a real prompt that was annotated."""
        return self.group.startswith("authored")


def read_rows(folder: Path, split: str) -> list[Row]:
    """The prompts of *split* (train or dev), each followed by its copy without the material."""
    rows: list[Row] = []
    for name in AUTHORED:
        for entry in read_lines(folder / name.format(split)):
            row = Row(
                text=excerpt_of(entry),
                label=TASK_TYPES.index(entry["task_type"]),
                complexity=entry["complexity"],
                lang=entry["lang"],
                group=group_of(entry["source"]),
            )
            rows.append(row)
            ask = ask_before_paste(row.text)
            if ask:
                rows.append(
                    msgspec.structs.replace(row, text=ask, weight=COPY_WEIGHT, scored=False)
                )
    return rows


def read_phrases(path: Path = PHRASES) -> list[Row]:
    """How requests begin, in many languages. They are never evaluated on."""
    languages = msgspec.toml.decode(path.read_bytes(), type=dict[str, dict[str, list[str]]])
    return [
        Row(
            text=phrase,
            label=TASK_TYPES.index(task_type),
            complexity=None,
            lang=lang,
            group="phrases",
            weight=PHRASE_WEIGHT,
            scored=False,
        )
        for lang, phrases in languages.items()
        for task_type, texts in phrases.items()
        for phrase in texts
    ]


def data_sha256(rows: list[Row]) -> str:
    """Names a set of rows: any change of any of them changes it."""
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a gzip file of JSON lines."""
    with gzip.open(path, "rb") as lines:
        for line in lines:
            yield msgspec.json.decode(line)


def group_of(source: str) -> str:
    """The author, or the family of public sources: "annotated-mgsm" and "-gsm8k" are one."""
    if source.startswith("authored-conversations"):
        return "authored-conversations"
    if source.startswith("authored"):
        return source
    family = re.split(r"[-_]", source.removeprefix("annotated-"))[0]
    return "real-" + {"mgsm": "gsm8k", "llmrouter": "mmlu", "routerdc": "mmlu"}.get(family, family)


def excerpt_of(entry: dict[str, Any]) -> str:
    """The text of a prompt, or of a conversation up to the ask that is labelled."""
    if "messages" not in entry:
        return join_excerpt(entry["text"], ())
    messages, ask = entry["messages"], entry["ask"]
    at = max(
        i for i, m in enumerate(messages) if m["role"] == "user" and ask in words_of(m["content"])
    )
    said = [(message["role"], words_of(message["content"])) for message in messages[:at]]
    system = [(role, words) for role, words in said if role == "system" and words]
    spoken = [(role, words) for role, words in said if role in ("user", "assistant") and words]
    return join_excerpt(ask, [*system[:1], *spoken[-PRIOR_TURNS:]])


def words_of(content: str | list[dict[str, Any]] | None) -> str:
    """The text parts of a message."""
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if part["type"] == "text").strip()
    return (content or "").strip()


def ask_before_paste(text: str) -> str:
    """The first block of a text when it is short and much follows, else ""."""
    first, _, rest = text.partition("\n\n")
    fits = len(first) <= ASK_BLOCK_CHARS_MAX and len(rest) >= PASTE_CHARS_MIN
    return first if fits and len(rest) > len(first) else ""
