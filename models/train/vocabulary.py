"""
A tokenizer that also reads other languages: the pieces of the base encoder, and new ones.

The base encoder knows English word pieces. Most letters of other scripts are unknown to it or fall
to single characters, so pieces are learnt from the prompts that are not English.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from torch import Tensor

from models.excerpt import ASK_MARK

NEW_PIECES_MAX = 10_000  # 384 bytes each in the file
MIN_COUNT = 3
UNKNOWN = "[UNK]"
RUN_CHARS = 24  # of the scripts that put no space between words
# Accents of Latin, Greek and Cyrillic go, as in the base encoder. The marks of Indic, Thai, Arabic
# and Hebrew and the voicing of kana stay: there they are letters. Hangul stays taken apart.
ACCENTS = "[\u0300-\u036f]+"
UNSPACED = f"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u3099\u30a0-\u30ff]{{1,{RUN_CHARS}}}"


def build_tokenizer(base: Path, texts: Iterable[str]) -> Tokenizer:
    """The tokenizer of *base* (a ``tokenizer.json``), with pieces learnt from *texts* added."""
    vocabulary: dict[str, int] = json.loads(base.read_text())["model"]["vocab"]
    slots = iter([piece for piece in vocabulary if piece.startswith("[unused")])
    mark_slot = next(slots)
    pieces = [piece for piece in learn_pieces(texts) if piece not in vocabulary]
    for piece in pieces[:NEW_PIECES_MAX]:
        slot = next(slots, None)
        vocabulary[piece] = len(vocabulary) if slot is None else vocabulary.pop(slot)
    vocabulary[ASK_MARK] = vocabulary.pop(mark_slot)
    tokenizer = with_rules(Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN)))
    tokenizer.add_special_tokens(["[PAD]", UNKNOWN, "[CLS]", "[SEP]"])
    tokenizer.add_tokens([AddedToken(ASK_MARK, normalized=False)])
    ends = [(piece, vocabulary[piece]) for piece in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=ends
    )
    return tokenizer


def learn_pieces(texts: Iterable[str]) -> list[str]:
    """Word pieces of *texts*, the single letters first, then the most useful ones."""
    learner = with_rules(Tokenizer(models.WordPiece(unk_token=UNKNOWN)))
    trainer = trainers.WordPieceTrainer(
        vocab_size=4 * NEW_PIECES_MAX,
        min_frequency=MIN_COUNT,
        limit_alphabet=NEW_PIECES_MAX,
        show_progress=False,
        special_tokens=[UNKNOWN],
    )
    learner.train_from_iterator(texts, trainer)
    return sorted(learner.get_vocab(), key=learner.get_vocab().__getitem__)


def with_rules(tokenizer: Tokenizer) -> Tokenizer:
    """How text is cleaned and cut into words before it is cut into pieces."""
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.BertNormalizer(strip_accents=False, lowercase=True),
            normalizers.NFD(),
            normalizers.Replace(Regex(ACCENTS), ""),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.BertPreTokenizer(),
            pre_tokenizers.Split(Regex(UNSPACED), "isolated"),
        ]
    )
    return tokenizer


def grow_embeddings(base: Tensor, old: dict[str, int], new: dict[str, int]) -> Tensor:
    """
    Rows for the *new* vocabulary from those of the *old* one.

    A new piece starts as the mean of the old pieces it is made of; as noise of the usual size when
    there are none.
    """
    draw = torch.Generator().manual_seed(7)
    spread = float(base.std())
    rows = base.mean(0) + spread * torch.randn(len(new), base.shape[1], generator=draw)
    for piece, at in new.items():
        if piece in old:
            rows[at] = base[old[piece]]
            continue
        parts = parts_of(piece, old)
        if parts:
            mean = base[torch.tensor(parts)].mean(0)
            rows[at] = mean + 0.3 * spread * torch.randn(base.shape[1], generator=draw)
    return rows


def parts_of(piece: str, old: dict[str, int]) -> list[int]:
    """The old pieces that a new one falls into, longest first; letters unknown to them drop out."""
    inside = piece.startswith("##")
    letters = piece.removeprefix("##")
    parts: list[int] = []
    at = 0
    while at < len(letters):
        for end in range(len(letters), at, -1):
            part = letters[at:end] if at == 0 and not inside else "##" + letters[at:end]
            if part in old:
                parts.append(old[part])
                break
        else:
            end = at + 1
        at = end
    return parts


def tokens_per_char(tokenizer: Tokenizer, texts: list[str]) -> tuple[float, float]:
    """Tokens for each character, and the share of them that is unknown. NaN without texts."""
    unknown = tokenizer.token_to_id(UNKNOWN)
    encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
    tokens = sum(len(one.ids) for one in encoded)
    if not tokens:
        return math.nan, math.nan
    return (
        tokens / sum(map(len, texts)),
        sum(one.ids.count(unknown) for one in encoded) / tokens,
    )
