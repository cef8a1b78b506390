"""
Guess the script and the language of an ask, and count the words that limit its answer.

Scripts come from the text kernel's counts; where one language owns a script that is the answer.
Else stop words vote, and letters that only one language uses. A guess has to be clear, or there is
none: rules on a language are better not met than met by mistake.
"""

from __future__ import annotations

from collections.abc import Sequence

from kernels import text as kernel

WORDS_READ = 60  # of the ask; the vote is over long before

# Scripts other than Latin, in the order of the kernel's classes behind the three Latin ones.
_SCRIPTS = (
    *("cyrillic", "greek", "han", "kana", "hangul", "arabic", "hebrew", "devanagari", "bengali"),
    *("thai", "other"),
)
_OWNED = {
    "greek": "el",
    "kana": "ja",
    "hangul": "ko",
    "hebrew": "he",
    "bengali": "bn",
    "thai": "th",
}
KANA_SHARE_MIN = 0.05  # of Han and Kana: Japanese; Chinese has none but in a foreign name

# Common short words, most of all such as no other language here has.
_STOP_WORDS = {
    "en": "the of and to is in for with that this what how why write my your from are can you it be"
    " please which who when i me we they was were does do not at by an or as on if give all list"
    " explain there their have has a should would could make about into using each",
    "de": "der die das und ist nicht ein eine einen einem einer für mit auf von zu im den dem des"
    " wie was ich du wir sie es bitte auch oder als aus bei kann schreibe welche wenn dass warum"
    " mir mein meine nach über zum zur sind wird hat nur noch kein keine schreib",
    "fr": "le la les des et est une un pour dans que qui avec sur pas ce cette ces je tu nous vous"
    " il elle au aux du de comment quel quelle pourquoi mon ma mes votre en ne plus sont moi"
    " écris par ou où être fait c'est d'un d'une donne",
    "es": "el la los las de y que en un una para con por es como qué cómo mi tu su del al se lo más"
    " no cuál cuáles escribe está son pero sin este esta hay hazme dame porque me puedo si sobre",
    "pt": "o a os as de e que em um uma para com por não é como do da dos das no na meu minha seu"
    " sua você qual quais escreva ou mais ao são se eu isso está me faça sem pelo pela uns",
    "it": "il lo la gli le di e che in un una per con è come del della dei delle non mi questo"
    " questa sono più qual quale scrivi al alla nel nella cosa perché ho da dal si ma anche un'",
    "nl": "de het een en van is niet voor met op te in dat die wat hoe ik je mijn we zijn aan of"
    " kan waarom maar ook naar als om er bij deze dit schrijf geef uit nog door wel geen",
    "sv": "och att det en ett är på för med av som inte jag du vad hur till den om har kan min de"
    " skriv från eller vi så när mig varför mitt vilka ska",
    "da": "og at det en et er på for med af som ikke jeg du hvad hvordan til den om har kan min de"
    " skriv fra eller vi så når mig hvorfor hvilke skal mit",
    "no": "og å det en et er på for med av som ikke jeg du hva hvordan til den om har kan min de"
    " skriv fra eller vi så når meg hvorfor hvilke skal mitt",
    "pl": "i w na z do jest nie to się że jak co dla od po o czy który która które mi mój moja są"
    " oraz ale za tego napisz przez być może jakie bez ze tylko proszę dlaczego",
    "cs": "a v na je se že s do to jak co pro od po z nebo ale který která které mi můj jsou ve k"
    " není jaké napiš proč jen za když si bez",
    "tr": "ve bir bu için ile ne nasıl mi mı da de olarak daha çok var ben sen gibi kadar neden"
    " olan hangi yaz bana benim şu en ama mu mü her değil veya ya sadece",
    "ro": "și de la în cu pe un o este nu care pentru din ce cum mai să sau ca al ale sunt"
    " scrie mi-ai îmi meu mea cel între prin fi lui",
    "hu": "a az és egy nem hogy is van mi mit ez azt meg de ha csak kell vagy mint írj miért hogyan"
    " nekem lehet ami milyen",
    "fi": "ja on ei se että en mitä miten tai mutta kun niin ovat minä sinä kirjoita miksi voi oli"
    " joka mikä ole minun myös kuin",
    "id": "yang dan di untuk dengan ini itu dari tidak apa bagaimana saya dalam pada adalah ke akan"
    " bisa kamu buat tulis atau ada jika kenapa tolong buatkan oleh sebagai",
    "vi": "và của là có cho không một những được trong này với các để như tôi bạn thế nào gì hãy"
    " viết về làm khi người sao vì đến từ trên ra",
    "sw": "na ya wa kwa ni katika za la kuwa hii nini jinsi gani cha kama au hiyo yangu mimi",
    "ru": "и в не на что с как это для по из к у от а но или о же бы мне я мой моя какой какие"
    " напиши так все если чем при является то почему где можно нужно есть",
    "uk": "і в не на що з як це для та до у від а але або про мені я мій моя який які напиши"
    " якщо чому де можна є чи його за так ти ви",
    "bg": "и в не на че с как това за да от се но или е ми аз мой какво какви напиши са по към ще",
    "ar": "في من على إلى ما هو هي أن هذا هذه التي الذي مع عن لا كيف لماذا و أو كل بين كان لي",
    "fa": "در از به که این را با است برای و آن چه چگونه یک من تا می های بر یا چرا هم شود",
    "ur": "کے میں کی ہے کا اور سے کو نے یہ پر کیا ہیں ایک کہ جو نہیں کیسے لئے لیے",
    "hi": "के में की है का और से को ने यह पर क्या हैं एक कि जो नहीं कैसे लिए मुझे मेरे हो तो करें",
    "mr": "आहे आणि च्या मध्ये हे ते या की नाही एक मला काय कसे साठी आहेत होते तर करा",
}
# Letters that decide between the languages of a script.
_LETTERS = {
    "de": "ß",
    "es": "ñ¿¡",
    "pt": "ãõ",
    "fr": "çèêœ",
    "pl": "łąęśżź",
    "cs": "řěů",
    "tr": "ğşı",
    "ro": "ăț",
    "hu": "őű",
    "sv": "åäö",
    "da": "åøæ",
    "no": "åøæ",
    "vi": "ơưđạảấầậếềệốộớờợứừựị",
    "uk": "іїєґ",
    "ru": "ыэё",
    "bg": "ъ",
    "fa": "پچژگیک",
    "ur": "ٹڈڑںےہ",
    "ar": "ةىيك",
    "mr": "ळ",
}
# Words that limit an answer; in scripts without spaces any place in the ask counts.
_LIMITS = (
    "must exactly only without least most maximum minimum max min never avoid limit between"
    " genau nur ohne mindestens höchstens maximal muss müssen keine"
    " exactement seulement sans maximum minimum moins doit doivent maximal"
    " exactamente solo sólo sin máximo mínimo menos debe deben"
    " exatamente apenas sem máximo mínimo deve devem"
    " esattamente senza massimo minimo almeno deve devono soltanto"
    " precies alleen zonder minstens hoogstens maximaal moet moeten"
    " dokładnie tylko bez maksymalnie minimum musi"
    " tam sadece olmadan en fazla az"
    " ровно только без минимум максимум должен должна должно должны"
    " рівно лише тільки мінімум максимум"
)
_LIMITS_UNSPACED = (
    "必须",
    "必須",
    "不要",
    "至少",
    "最多",
    "不超过",
    "只能",
    "以内",
    "以上",
    "なしで",
    "だけ",
)
_UNSPACED = frozenset({"han", "kana", "thai"})


def _known_words() -> dict[str, tuple[str, ...]]:
    """The languages of every stop word."""
    known: dict[str, tuple[str, ...]] = {}
    for language, words in _STOP_WORDS.items():
        for word in words.split():
            known[word] = (*known.get(word, ()), language)
    return known


_KNOWN = _known_words()
_LIMITING = frozenset(_LIMITS.split())
_CANDIDATES = {
    "cyrillic": frozenset({"ru", "uk", "bg"}),
    "arabic": frozenset({"ar", "fa", "ur"}),
    "devanagari": frozenset({"hi", "mr"}),
}


def script_of(counts: Sequence[int]) -> str:
    """The script of most letters in a text with these *counts*; "" when it has no letters."""
    latin, others = sum(counts[: kernel.CYRILLIC]), counts[kernel.CYRILLIC : kernel.LETTERS]
    most = max(others)
    if latin >= most:
        return "latin" if latin else ""
    return _SCRIPTS[others.index(most)]


def language_of(words: Sequence[str], ask: str, script: str, counts: Sequence[int]) -> str:
    """
    ISO 639-1 code of the language of *ask*, "" when unsure.

    *words* are its words in lower case, *script* its script and *counts* what the kernel counted.
    """
    if script == "han":
        kana, han = counts[kernel.KANA], counts[kernel.HAN]
        return "ja" if kana > KANA_SHARE_MIN * (kana + han) else "zh"
    if script in _OWNED:
        return _OWNED[script]
    votes: dict[str, int] = {}
    for languages in [_KNOWN[word] for word in words[:WORDS_READ] if word in _KNOWN]:
        for language in languages:
            votes[language] = votes.get(language, 0) + 1
    if script != "latin" or counts[kernel.LATIN_MARKED]:
        for language, letters in _LETTERS.items():
            if any(letter in ask for letter in letters):
                votes[language] = votes.get(language, 0) + 1
    return clear_winner(votes, script)


def clear_winner(votes: dict[str, int], script: str) -> str:
    """The language of *script* with two votes or more and a third more than the next, else ""."""
    allowed = _CANDIDATES.get(script)
    best, first, second = "", 1, 0
    for language, count in votes.items():
        if allowed is not None and language not in allowed:
            continue
        if count > first:
            best, first, second = language, count, first
        elif count > second:
            second = count
    return best if 3 * first >= 4 * second else ""


def limits_in(words: Sequence[str], ask: str, script: str) -> int:
    """How many words of *ask* limit its answer: must, at most, without and the like."""
    if script in _UNSPACED:
        return sum(ask.count(word) for word in _LIMITS_UNSPACED)
    return sum(map(_LIMITING.__contains__, words))
