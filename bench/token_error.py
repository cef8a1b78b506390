"""
Error of our token estimate against real vocabularies, by language; ``--fit`` fits it again.

    python bench/token_error.py VOCABULARIES TEXTS.jsonl.gz ... [--fit]

VOCABULARIES is a folder with any of ``*.json`` (tokenizers format) and ``*.tiktoken`` (one base64
token and its rank a line). The texts are JSON lines with ``text`` and ``lang``; where rows hold
``tools`` their JSON is one text of the language "tools". Without ``--fit`` the shipped weights are
measured on all texts: give it texts that were not fitted on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import tiktoken
from tokenizers import Tokenizer

# How o200k_base cuts text before it looks tokens up; published with the vocabulary.
O200K = tiktoken.get_encoding  # replaced below when a file is given


def vocabularies(folder: Path) -> Iterator[tuple[str, Callable[[str], int]]]:
    """Name and counting function of every vocabulary in *folder*."""
    for path in sorted(folder.glob("*.json")):
        tokenizer = Tokenizer.from_file(str(path))
        yield path.stem, lambda text, t=tokenizer: len(t.encode(text, add_special_tokens=False))
