"""The lexicon of the tagger: words of ordinary prompts, names of people and places, and cues."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
from babel import Locale
from phonenumbers.geodata import GEOCODE_DATA

from kernels import tagger
from models.names import Lexicon, points_of
from models.train.names_phrases import read_words

SIZE_BITS = 17  # of the table; more than half of it stays free
COMMON_MIN, KNOWN_MIN, PROPER_MIN = 12, 2, 3  # times that a word is seen
LOCALES = [
    "en",
    "de",
    "fr",
    "es",
    "pt",
    "it",
    "nl",
    "pl",
    "tr",
    "sv",
    "da",
    "fi",
    "cs",
    "ro",
    "hu",
    "ru",
    "uk",
    "ar",
    "he",
    "hi",
    "ja",
    "zh",
    "ko",
    "th",
    "vi",
    "id",
    "el",
]
WORD = re.compile(r"[^\W\d_]+")

STREETS = """
street st road rd avenue ave lane ln drive dr boulevard blvd court ct way place terrace close
crescent square parkway pkwy highway hwy circle apt suite unit flat straße strasse str platz allee
gasse weg rue avenue boulevard impasse chemin quai calle avenida avda plaza paseo carrera carretera
rua travessa praça alameda largo via viale piazza corso vicolo ulica ul aleja os straat laan plein
gracht kade sokak sok caddesi cad mahallesi mah bulvarı gatan vägen gade vej улица ул проспект пр
переулок вул شارع طريق मार्ग रोड jalan jl đường phố 丁目 番地 路 街 大道 번길 대로 box
"""
COMPANIES = """
inc llc ltd limited plc corp corporation llp gmbh ag kg ug ohg sarl sas eurl
bv nv vof spa srl sl sa lda ltda ab oy aps holding holdings group groupe
grupo gruppo partners associates industries technologies systems solutions
consulting logistics bank insurance hospital clinic klinik klinikum clinique
clínica clinica hôpital krankenhaus ziekenhuis szpital przychodnia hastanesi
university université universidad universidade università universität
universiteit college school academy institute foundation trust studios
ventures labs ооо ао пао зао شركة مؤسسة 株式会社 有限会社 合同会社 有限公司 集团 银行 医院 大学 病院
銀行 学校 製作所 商事 주식회사 은행 병원 대학교 전자 pharmacy apotheke
"""
TITLES = """
mr mrs ms miss dr prof professor sir judge officer coach mayor president
nurse aunt uncle herr frau monsieur madame mme mlle señor señora sr sra don
doña senhor senhora dra dona signor signora sig dott dottor dottoressa heer
mevrouw pan pani bay bey hanım sayın господин госпожа السيد السيدة الدكتور
الدكتورة श्री श्रीमती 様 さん 氏 先生 女士 小姐 님 씨 先輩 殿 部長 经理 patient patiënt
paciente paziente pacjent pacjentka hasta пациент пациентка المريض मरीज 患者
환자 dear estimado estimada querido querida prezado prezada caro cara gentile
cher chère liebe lieber geehrter geehrte beste geachte szanowny szanowna
drogi уважаемый уважаемая hallo hello hi hola bonjour ciao merhaba name nom
nombre nome naam
"""
PARTICLES = """
de la le du des da do dos das di del della van den der von zu zur y e of the bin
ibn al el ten ter und and & af av
"""


def words_of(texts: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """How often each word is in small letters, and with a capital inside of a sentence."""
    small: Counter[str] = Counter()
    proper: Counter[str] = Counter()
    for text in texts:
        for found in WORD.finditer(text):
            word = found[0]
            if word.islower():
                small[word] += 1
            elif word[0].isupper():
                before = text[max(0, found.start() - 2) : found.start()]
                if before[-1:] == " " and before[:1].isalpha():
                    proper[word.lower()] += 1
    return small, proper


def places() -> tuple[set[str], set[str]]:
    """Names of places, and the parts that stand before a comma or slash in longer ones."""
    names: set[str] = set()
    for code in LOCALES:
        locale = Locale.parse(code)
        names.update(name for key, name in locale.territories.items() if key.isalpha())
        for zone in locale.time_zones.values():
            names.add(str(zone.get("city", "")))
    regions: set[str] = set()
    for described in GEOCODE_DATA.values():
        for place in described.values():
            first, *rest = re.split(r"[,/(]| - ", place)
            names.add(first.strip())
            regions.update(part.strip(" )") for part in rest if len(part) > 4)
    return names, regions


class Builder:
    """Collects the bits of entries, and writes them into a table."""

    def __init__(self) -> None:
        self.bits: dict[int, int] = {}
        self.nothing = Lexicon(np.zeros(2, np.uint32), np.zeros(2, np.uint16))

    def add(self, entry: str, bit: int) -> None:
        """An entry of up to ENTRY_TOKENS_MAX tokens."""
        points = points_of(entry)
        rows = np.empty((max(points.size, 1), tagger.COLUMNS), dtype=np.int64)
        count = tagger.split_tokens(points, rows)
        if not 0 < count <= tagger.ENTRY_TOKENS_MAX:
            return
        key = 0
        for row in rows[:count]:
            key = (key * int(tagger.STEP) + (int(row[tagger.HASH]) & (1 << 64) - 1)) & (1 << 64) - 1
        self.bits[key] = self.bits.get(key, 0) | bit

    def lexicon(self) -> Lexicon:
        """All entries in one table. The first of equal fingerprints at one place wins."""
        prints = np.zeros(1 << SIZE_BITS, dtype=np.uint32)
        entries = np.zeros(1 << SIZE_BITS, dtype=np.uint16)
        wrap, spread = (1 << 64) - 1, int(tagger.SPREAD)
        for key, bits in self.bits.items():
            mixed = ((key ^ key >> 32) * spread) & wrap
            mixed ^= mixed >> 29
            slot, fingerprint = (mixed >> 34) % prints.size, mixed & 0xFFFFFFFF | 1
            while prints[slot] not in (0, fingerprint):
                slot = (slot + 1) % prints.size
            prints[slot], entries[slot] = fingerprint, entries[slot] | bits
        return Lexicon(prints, entries)


def build(texts: Iterable[str]) -> Lexicon:
    """The lexicon of ordinary *texts* and of all lists."""
    builder = Builder()
    small, proper = words_of(texts)
    for word, times in small.items():
        if times >= KNOWN_MIN and times * 4 >= proper[word]:
            builder.add(word, tagger.KNOWN | (tagger.COMMON if times >= COMMON_MIN else 0))
    for word, times in proper.items():
        if times >= PROPER_MIN and times > small[word]:
            builder.add(word, tagger.PROPER)
    for lists in read_words().values():
        for kind, bit in (("given", tagger.GIVEN), ("family", tagger.FAMILY)):
            for name in lists[kind]:
                builder.add(name, bit)
        for name in lists["places"]:
            builder.add(name, tagger.PLACE)
    names, regions = places()
    for name in sorted(names):
        builder.add(name, tagger.PLACE)
    for name in sorted(regions):
        builder.add(name, tagger.PLACE_PART)
    for words, bit in (
        (STREETS, tagger.STREET),
        (COMPANIES, tagger.COMPANY),
        (TITLES, tagger.TITLE),
        (PARTICLES, tagger.PARTICLE),
    ):
        for word in words.split():
            builder.add(word, bit)
    for code in LOCALES:
        locale = Locale.parse(code)
        wide = [locale.days["format"]["wide"], locale.months["format"]["wide"]]
        for name in [*(str(v) for d in wide for v in d.values()), *locale.languages.values()]:
            builder.add(name, tagger.CALENDAR)
    return builder.lexicon()
