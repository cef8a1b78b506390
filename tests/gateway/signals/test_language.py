"""Tests of gateway/signals/language.py."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.signals.language import clear_winner, language_of, limits_in, script_of
from gateway.signals.tokens import counts_of

ASKS = [
    ("Write a poem about the sea and what it means to you", "latin", "en"),
    ("Schreibe mir bitte ein Gedicht über das Meer, das nicht zu lang ist", "latin", "de"),
    ("Écris un poème sur la mer pour mes enfants, s'il te plaît", "latin", "fr"),
    ("¿Cómo puedo escribir un poema sobre el mar para mi hija?", "latin", "es"),
    ("Escreva um poema sobre o mar para a minha filha, não muito longo", "latin", "pt"),
    ("Scrivi una poesia sul mare per mia figlia, che non sia troppo lunga", "latin", "it"),
    ("Schrijf een gedicht over de zee voor mijn dochter, niet te lang", "latin", "nl"),
    ("Skriv en dikt om havet som jag kan läsa för mina barn", "latin", "sv"),
    ("Napisz wiersz o morzu dla mojej córki, który nie jest za długi", "latin", "pl"),
    ("Napiš báseň o moři pro moje děti, která není příliš dlouhá", "latin", "cs"),
    ("Kızım için deniz hakkında çok uzun olmayan bir şiir yaz", "latin", "tr"),
    ("Scrie o poezie despre mare pentru copiii mei, care să nu fie lungă", "latin", "ro"),
    ("Írj egy verset a tengerről, ami nem túl hosszú", "latin", "hu"),
    ("Tolong buatkan puisi tentang laut yang tidak terlalu panjang untuk anak saya", "latin", "id"),
    ("Hãy viết một bài thơ về biển cho con gái của tôi", "latin", "vi"),
    ("Напиши стихотворение о море, которое не будет слишком длинным для меня", "cyrillic", "ru"),
    ("Напиши вірш про море для моєї доньки, який не є задовгим", "cyrillic", "uk"),
    ("Γράψε ένα ποίημα για τη θάλασσα", "greek", "el"),
    ("اكتب لي قصيدة عن البحر لا تكون طويلة على الأطفال", "arabic", "ar"),
    ("یک شعر درباره دریا برای دخترم بنویس که خیلی طولانی نباشد", "arabic", "fa"),
    ("כתוב שיר על הים", "hebrew", "he"),
    ("मेरी बेटी के लिए समुद्र पर एक कविता लिखो", "devanagari", "hi"),
    ("সমুদ্র নিয়ে একটি কবিতা লেখো", "bengali", "bn"),
    ("เขียนบทกวีเกี่ยวกับทะเล", "thai", "th"),
    ("写一首关于大海的诗", "han", "zh"),
    ("海についての詩を書いてください", "kana", "ja"),
    ("海辺旅行計画表作成の方法", "han", "ja"),
    ("바다에 대한 시를 써 줘", "hangul", "ko"),
    ("கடலைப் பற்றி ஒரு கவிதை", "other", ""),
    ("xyzzy plugh", "latin", ""),
    ("ok", "latin", ""),
    ("1 + 1 = ?", "", ""),
    ("", "", ""),
]


@pytest.mark.parametrize(("ask", "script", "language"), ASKS)
def test_script_and_language(ask, script, language):
    """Common languages are told from a sentence; where that is not clear there is no guess."""
    counts = counts_of((ask,)).tolist()

    assert script_of(counts) == script
    assert language_of(ask.lower().split(), ask, script, counts) == language


@pytest.mark.parametrize(
    ("votes", "script", "winner"),
    [
        ({"en": 2}, "latin", "en"),
        ({"en": 1}, "latin", ""),  # one word may be a name
        ({"es": 4, "pt": 3}, "latin", "es"),
        ({"pt": 3, "es": 4}, "latin", "es"),
        ({"es": 4, "pt": 4}, "latin", ""),
        ({"es": 5, "pt": 4}, "latin", ""),
        ({"en": 5, "ru": 2}, "cyrillic", "ru"),  # English words among Cyrillic ones do not count
        ({}, "latin", ""),
    ],
)
def test_clear_winner(votes, script, winner):
    """Two votes at least, and a third more than any other language of the script."""
    assert clear_winner(votes, script) == winner


@pytest.mark.parametrize(
    ("ask", "script", "limits"),
    [
        ("It must have exactly 3 lines, at most 80 letters, without rhymes", "latin", 4),
        ("Höchstens drei Zeilen, ohne Reime", "latin", 2),
        ("Только три строки, без рифмы", "cyrillic", 2),
        ("必须用三行，不要押韵，最多一百字", "han", 3),
        ("Write a poem", "latin", 0),
        ("", "", 0),
    ],
)
def test_limits_in(ask, script, limits):
    """Words that limit an answer count, in scripts with and without spaces."""
    assert limits_in(ask.lower().split(), ask, script) == limits


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=100)
def test_language_of_anything(ask):
    """Any text has a script or none, and a two-letter guess or none."""
    counts = counts_of((ask,)).tolist()
    script = script_of(counts)

    assert len(language_of(ask.lower().split(), ask, script, counts)) in (0, 2)
