"""
Words that a text can do without, and words that it must not lose, in the languages seen most.

One set for all languages: a word that is empty in one and has content in another ("die", "on")
is only the first to go, and then only where the text around it has little to do with the ask.
Each list runs through English, German, French, Spanish, Portuguese, Italian, Dutch, Swedish,
Romanian, Polish, Russian, Ukrainian, Greek, Turkish, Vietnamese, Arabic and Hindi, as far as it
goes.
"""

from __future__ import annotations

# Grammar: articles, pronouns, prepositions, conjunctions, auxiliaries.
_FUNCTION = (
    "a an the this that these those i me my we us our you your he him his she her it its they "
    "them their who whom which what of in on at by for from to with into onto over under "
    "about as than then and or but so if is are was were be been being am has have had having "
    "do does did will would there here also such some any each both between during through "
    "after before while because since upon within where when how itself himself themselves up "
    "out off again der die das den dem des ein eine einen einem einer eines und oder aber als "
    "wie zu zum zur im auf aus bei mit nach von vom vor für über um durch es er sie wir ihr "
    "ihm ihn ihnen sich ist sind war waren wird werden wurde wurden hat haben hatte sein "
    "seine seiner seinen dass daß auch noch diese dieser dieses diesem diesen sowie welche "
    "welcher dabei damit le la les un une du de et ou mais que qui dont où à au aux en dans "
    "par pour sur avec sous ce cet cette ces se sa son ses leur leurs il elle ils elles nous "
    "vous est sont était étaient être été ont avait ainsi comme plus y lui même el los las "
    "unos unas del o pero como al con por para su sus lo era eran fue fueron ser ha han había "
    "este esta estos estas ese esa eso entre sobre os uma uns umas dos da e mas com em no na "
    "nos nas ao aos pelo pela seu sua seus suas foi foram é são ele ela eles elas isso essa "
    "esse gli di della dei delle degli dal dalla ed ma che chi cui nel nella nei nelle per "
    "tra fra suo suoi sue è sono erano fu furono stato stata questo questa questi het een van "
    "maar dat dit te met voor door naar bij ook zijn werd worden wordt heeft hebben aan uit "
    "om hij zij ze wij och att det som på är av för med till har ett și în cu pe din ai ale "
    "sunt fost care ca că mai prin w z się jest są był była było że jak od po przez dla który "
    "która które oraz и в во на с со к ко по из от до за о об у для при что как это этот эта "
    "эти его её их он она оно они был была было были быть есть который которая которые также "
    "а но или же і й з із від про що як це цей ця ці його її їх він вона вони був була було ο "
    "η το οι τα του της των τον την στο στη στην στον στα και ή με από για σε ως που ότι "
    "είναι ήταν ένα ένας μια μία να θα ve ile bir bu şu için gibi olan olarak ise ki là của "
    "và các những một cho với được trong ở từ này đó đã bởi في من على إلى عن أن التي الذي هذا "
    "هذه و أو كما كان كانت قد ثم के की का को में से है हैं था थे थी और एक यह वह पर ने भी इस "
    "उस जो"
)

# Courtesy and emphasis that say nothing; dropped before anything else.
_FILLERS = (
    "please kindly thanks thank regards sincerely very really just actually basically simply "
    "quite literally obviously clearly certainly definitely essentially honestly indeed "
    "moreover furthermore additionally well hello hi dear bitte danke sehr wirklich "
    "eigentlich einfach natürlich eben halt mal ja merci très vraiment simplement bonjour "
    "gracias muy realmente simplemente hola obrigado obrigada muito olá grazie molto davvero "
    "semplicemente ciao dank alstublieft heel echt gewoon пожалуйста спасибо очень "
    "действительно просто привет здравствуйте proszę dziękuję bardzo naprawdę lütfen "
    "teşekkürler çok"
)

# What comes behind one of these means the opposite without it.
_NEGATIONS = (
    "not no never none nothing nobody neither nor without cannot cant can't won't don't "
    "doesn't isn't aren't wasn't except unless excluding exclude hardly nicht kein keine "
    "keinen keinem keiner nie niemals nichts ohne außer weder ne pas jamais aucun aucune rien "
    "sans sauf ni non nunca ningún ninguna ninguno nada sin excepto salvo jamás tampoco não "
    "nenhum nenhuma sem exceto nem mai nessun nessuno nessuna niente senza tranne né niet "
    "geen nooit niets zonder behalve inte ingen aldrig utan nu niciun niciodată fără nigdy "
    "żaden żadna bez oprócz не нет ни никогда ничего без кроме ні ніколи немає δεν μην ποτέ "
    "χωρίς εκτός değil yok asla hiç hariç không chưa لا ليس لم لن بدون غير नहीं न मत बिना"
)

# What must, may or need not be.
_MODALS = (
    "must should shall may might can could only always required mandatory forbidden "
    "prohibited allowed need needs exactly ought muss müssen musst darf dürfen soll sollen "
    "sollte kann können nur immer genau mindestens höchstens verboten erlaubt doit doivent "
    "devez peut peuvent faut seulement uniquement toujours obligatoire interdit debe deben "
    "puede pueden solo sólo solamente siempre obligatorio prohibido deve devem pode podem "
    "apenas somente sempre devono può possono soltanto vietato moet moeten mag mogen kan "
    "alleen altijd trebuie poate doar musi muszą może mogą tylko zawsze należy должен должна "
    "должны может могут можно нельзя надо нужно только всегда повинен може тільки завжди "
    "πρέπει μπορεί μόνο πάντα gerek gerekir sadece yalnızca phải chỉ luôn يجب فقط केवल चाहिए"
)

# A sentence that begins with one tells the model what to do.
_IMPERATIVES = (
    "answer explain list give write return output respond reply use do summarize summarise "
    "extract translate classify identify find tell describe compare choose select read "
    "consider ensure make keep include exclude provide create generate rewrite follow "
    "remember note avoid never always only please convert format ignore analyze analyse "
    "determine calculate count name state pick let's you your display show solve fix help add "
    "remove replace put sort rank match fill complete correct edit draft outline suggest "
    "predict label tag check verify given based using antworte antworten erkläre nenne "
    "schreibe schreib fasse verwende benutze gib übersetze liste bitte réponds répondez "
    "explique expliquez donne donnez écris écrivez résume résumez traduis traduisez utilise "
    "utilisez responde explica da escribe resume traduce usa lista extrae extrai responda "
    "escreva resuma traduza rispondi spiega scrivi riassumi traduci elenca estrai beantwoord "
    "vertaal schrijf geef ответь ответьте объясни напиши напишите перечисли переведи "
    "используй назови odpowiedz napisz wyjaśnij podaj cevapla yaz açıkla"
)

# Behind these a full stop ends no sentence.
_ABBREVIATIONS = (
    "mr mrs ms dr prof st vs etc e.g i.e a.m p.m cf fig no al approx inc ltd co jr sr u.s bzw "
    "z.b d.h ca nr usw sog art vol pp p ed eds dept gen col lt sgt rev т.е т.д г"
)

# Negations and modals where words are not set apart by spaces, or have them inside.
KEPT_INSIDE = (
    *("不", "没", "沒", "無", "无", "勿", "未", "别", "禁", "必须", "必須", "只能", "仅", "除了"),
    *("应该", "ない", "ません", "なし", "ず", "べき", "のみ", "だけ", "以外"),
    *("않", "없", "못", "아니", "반드시", "금지", "ไม่", "ห้าม", "ต้อง", "เท่านั้น"),
)
FUNCTION_WORDS = frozenset(_FUNCTION.split())
FILLERS = frozenset(_FILLERS.split())
NEGATIONS = frozenset(_NEGATIONS.split())
MODALS = frozenset(_MODALS.split())
IMPERATIVES = frozenset(_IMPERATIVES.split())
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
