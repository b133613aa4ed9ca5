"""What the extractive engine knows of a language: words that say little, requests, promises, moods."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+|\d+")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language. ``small`` words carry no topic; ``polite`` ones belong to greetings and thanks.

    ``asks`` matches what somebody else is to do, ``promises`` what the speaker will do, ``replies`` how an answer to a
    question begins.
    """

    small: frozenset[str]
    polite: frozenset[str]
    good: frozenset[str]
    bad: frozenset[str]
    asks: re.Pattern[str]
    promises: re.Pattern[str]
    replies: re.Pattern[str]

    def content(self, text: str) -> list[str]:
        """Return the words that say what a text is about, in small letters."""
        return [word for word in words(text) if word not in self.small and len(word) > 2]


def words(text: str) -> list[str]:
    """Return words and numbers in small letters."""
    return words_as_written(text.lower())


def words_as_written(text: str) -> list[str]:
    """Return words and numbers."""
    return _WORD.findall(text)


@cache
def lexicon(language: str) -> Lexicon:
    """Return what is known of a language, which may be next to nothing."""
    small, polite, good, bad, asks, promises, replies = _LEXICA.get(language, _UNKNOWN)
    return Lexicon(
        small=frozenset(small.split()),
        polite=frozenset(polite.split()),
        good=frozenset(good.split()),
        bad=frozenset(bad.split()),
        asks=re.compile(asks, re.IGNORECASE),
        promises=re.compile(promises, re.IGNORECASE),
        replies=re.compile(replies, re.IGNORECASE),
    )


_UNKNOWN: Final = ("", "", "", "", r"(?!)", r"(?!)", r"(?!)")

_LEXICA: Final = {
    "en": (
        "a about actually after again all also am an and any anything are article as at be because been before but by "
        "can come could cost costs did do does doing done each else every exactly find for from get give go going "
        "good had has have he hello help her here him his how i if in into is it its just know last let like list "
        "long look make many may me more most much must my need never next no normally not now of off on one only or "
        "other our out over please read really receive said same say see she should since so some someone something "
        "speaking still take tell than that the their them then there these they thing this those through time to "
        "today tomorrow too two under until up us use very want was we well went were what when where which while who "
        "why will with would yes yet you your morning evening number percent "
        "euro euros dollar dollars pound pounds",
        "bye care goodbye greetings hello hi kind morning night patience perfect pleasant pleasure sorry speaking "
        "thank thanks welcome wonderful excuse moment correct right",
        "excellent glad good great happy lovely perfect pleased thank thanks well wonderful free save discount",
        "angry annoyed bad broken cancelled closed complaint damage damaged delay delayed diverted error expired fail "
        "failed failing fault late lost missing never nobody outage problem regret scratched slow slowly sorry stuck "
        "unfortunately worse wrong",
        r"\b(please|could you|can you|would you|don't forget|make sure|remember to|you need to|you have to|"
        r"write down|tell (the|him|her|them))\b",
        r"\b(i|we)('ll| will| shall| am going to| are going to)\b|\bwill (contact|call|send|ring|write|email) you\b|"
        r"\bwe are sending\b|\blet me (check|send|call)\b",
        r"^(yes|no|of course|certainly|sure|right|exactly|not yet|unfortunately|i'm afraid)\b",
    ),
    "es": (
        "a al algo alguien ahora antes aquí así aún aunque bien cada casi como con cómo cosa cuál cuando cuándo cuánto "
        "cuesta cuestan de del desde después día días dónde donde dos el él ella ellos en entonces era es esa ese eso "
        "esta está estaba estamos estar este esto estos fue ha hace hacer han hasta hay he hoy la las le les lo los "
        "mañana más me mi mientras mis misma mismo mucho muy nada ni no nos nosotros nuestra nuestro nunca o otra otro "
        "para pero poco por porque puede puedo que qué quien quién sale se sea ser si sí siempre sigue sin sobre solo "
        "son soy su sus también tan tanto te tener tengo tiene tienen todo todos tu un una uno unos usted ustedes va "
        "vamos ver y ya yo buenos buenas habla parecer número ciento euro "
        "euros",
        "adiós buenas buenos días encantado favor gracias hola lamentamos luego momento muchísimas noches paciencia "
        "perdón perfecto saludos tardes viaje correcto ayudar ayudarle",
        "bien bueno encantado excelente feliz genial gracias gratis incluido muchísimas perfecto descuento",
        "cerrada cerrado dañado desviado error fallo lamentamos lento mal nunca perdido peor perdida problema queja "
        "retrasado retraso roto tarde",
        r"\b(por favor|podría|podrías|puede usted|dígale|dile|sostenga|anote|escriba|envíe|llame|recuerde|"
        r"no olvide|asegúrese|tiene que)\b",
        r"\b(le|les|lo|la|se lo) (enviaremos|enviaré|llamaremos|llamaré|escribiré|haré|mandaré)\b|"
        r"\b(enviaremos|enviaré|llamaré|llamaremos|voy a|vamos a|haremos)\b",
        r"^(sí|no|claro|por supuesto|desde luego|todavía no|lamentablemente)\b",
    ),
    "de": (
        "aber alle alles als also am an auch auf aus bei beim bin bis bitte da damit dann das dass dauert dem den der "
        "des die dies diese dieser dir doch dort du durch ein eine einem einen einer eines einschließlich er erscheint "
        "es etwas euch für gegen gehen gibt habe haben hat hatte hier hinter ich ihm ihn ihnen ihr ihre im immer in "
        "ist ja jede jeder jetzt kann kein keine können kommt kostet kosten machen man mehr mein meine mich mir mit "
        "morgen muss müssen nach nicht nichts noch nun nur ob oder ohne schon sehr sein seine seit sich sie sind so "
        "soll sollte nummer prozent euro "
        "über um und uns unser unsere unter viel vom von vor wählen wann war waren warum was weil wenn wer "
        "werden wie wieder will wir wird wo wollen würde würden zu zum zur zwei guten spricht",
        "abend auf danke dank entschuldigung freut geduld grüß gruß gute guten hallo moment morgen tag tschüss "
        "helfen verzeihung vielen wiederhören wiedersehen willkommen stimmt",
        "danke erfreut freut froh gerne gut hervorragend kostenlos perfekt prima super toll wunderbar",
        "abgelaufen ärger beschädigt beschwerde defekt entschuldigung fehler fehlt kaputt langsam leider nie niemand "
        "problem schaden schlecht schlimm spät störung verloren verspätet verspätung wasserschäden fest",
        r"\b(bitte|könnten sie|können sie|würden sie|wählen sie|schicken sie|schreiben sie|rufen sie|notieren sie|"
        r"vergessen sie nicht|denken sie daran|sie müssen|achten sie|sagen sie)\b",
        r"\b(ich|wir) (werde|werden|schicke|schicken|rufe|rufen|kümmere|kümmern|melde|melden|sende|senden)\b",
        r"^(ja|nein|natürlich|selbstverständlich|klar|gerne|leider|noch nicht|doch)\b",
    ),
    "fr": (
        "à actuellement ai ainsi alors après as au aucun aussi autre autres aux avant avec avez avoir avons ça car ce "
        "cela celle celui ces cet cette chaque chez combien comme comment d dans de depuis des deux dois donc du elle "
        "elles en encore entre est et était être eu fait faire fois font hier ici il ils j jamais je jour jours l la "
        "là le les leur lui ma mais me même mes moi moins mon n ne ni non nos notre nous on ont ou où par parce pas "
        "pendant peu peut peux plus plusieurs pour pourquoi pourrions puis qu quand que quel quelle quelque qui quoi "
        "reste rien s sa sans se ses si son sont sous sur ta te tes toi ton tous tout toute très trop tu un une va vas "
        "vers veux vos votre vous y bonjour appareil numéro cent euro euros",
        "bonjour bonsoir bientôt bienvenue désolé enchanté merci moment parfait pardon patience plaisir revoir salut "
        "soin aider chose infiniment excusez prenez formidable beaucoup",
        "bien bon content excellent formidable génial gratuit heureux merci parfait ravi réduction",
        "abîmé cassé désolé erreur expiré facturé faute lent mal manque panne perdu personne pire plainte problème "
        "raté retard trop contester",
        r"\b(s'il vous plaît|s’il vous plaît|veuillez|pourriez-vous|pouvez-vous|notez|envoyez|appelez|écrivez|"
        r"n'oubliez pas|rappelez|dites|vous devez|sonnez)\b",
        r"\b(je vais|nous allons|je vous (envoie|rappelle|contacte|écris)|nous vous (envoyons|rappelons|contactons)|"
        r"nous enverrons|j'enverrai)\b",
        r"^(oui|non|bien sûr|certainement|d'accord|pas encore|malheureusement|si)\b",
    ),
    "it": (
        "a ad al alla alle anche ancora avere aveva c che chi ci come con cosa così da dal dalla degli dei del della "
        "delle di dopo dove due e è ed era essere fa fare fino gli ha hai hanno ho i il in io l la le lei lo loro lui "
        "ma me mi mia mio molto ne nei nel nella niente no noi non nostro o ogni ora per perché però più poi può qua "
        "quale quando quanto quello questa questo qui se sei si sia sono sta stato su sua sul sulla suo ti tra tu tua "
        "tuo tutto un una uno vi voi",
        "arrivederci buona buongiorno buonasera ciao grazie pazienza perfetto piacere prego salve scusi",
        "bene benissimo contento eccellente felice gratis grazie perfetto",
        "errore guasto lento male mai perso problema purtroppo reclamo ritardo rotto scaduto tardi",
        r"\b(per favore|per piacere|potrebbe|può|mi mandi|scriva|chiami|si ricordi|non dimentichi|deve)\b",
        r"\b(le manderò|la chiamerò|manderemo|chiameremo|vado a|farò|faremo|invieremo)\b",
        r"^(sì|no|certo|certamente|naturalmente|purtroppo|non ancora)\b",
    ),
    "pt": (
        "a ao aos aquela aquele aqui as até cada com como da das de dele depois do dos e é ela ele eles em entre era "
        "essa esse esta está estão este eu foi foram há isso isto já la lhe mais mas me mesmo meu minha muito na não "
        "nas nem no nos nós nossa nosso num numa o onde os ou para pela pelo pode por porque qual quando que quem se "
        "sem ser seu sua são só também te tem têm ter teu tu tudo um uma umas uns você vocês",
        "adeus boa bom dia desculpe noite obrigada obrigado olá paciência perfeito prazer tarde",
        "bem bom excelente feliz grátis obrigada obrigado perfeito ótimo",
        "atrasado atraso avaria erro estragado infelizmente lento mal nunca perdido problema queixa reclamação tarde",
        r"\b(por favor|poderia|pode|anote|envie|ligue|lembre-se|não se esqueça|certifique-se|tem de|tem que)\b",
        r"\b(vou|vamos|enviarei|enviaremos|ligarei|ligaremos|faremos)\b",
        r"^(sim|não|claro|com certeza|infelizmente|ainda não)\b",
    ),
}
