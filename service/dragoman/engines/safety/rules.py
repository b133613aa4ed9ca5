"""A guard of rules, offline: it knows how orders to a model are usually worded, in six languages, and no more.

What it does not know it lets through; the check of what is grounded comes after it. A service (Azure AI Content Safety)
knows more.
"""

import asyncio
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_AT_ONCE: Final = 64
"""More texts than this are judged on another thread: each takes 40 µs."""

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u0300-\u036f\u115f\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
"""Letters that are not seen, and accents that belong to no letter once those that do have been joined to theirs."""

_RULES_OF_A_MODEL: Final = (
    r"(instructions?|prompts?|guidelines?|system message|programming|(your|the|all|previous|prior|earlier) rules"
    r"|instrucciones|instrucción|indicaciones|(sus|tus|las) reglas"
    r"|anweisung(en)?|instruktionen|vorgaben|regeln|systemprompt"
    r"|consignes?|directives?|(vos|tes|les|ses) règles"
    r"|istruzioni|direttive|(tue|sue|le) regole"
    r"|instruções|diretrizes|(suas|tuas|as) regras)"
)
_FORGET: Final = (
    r"(ignore|disregard|forget|override|bypass|don't follow|do not follow|stop following|set aside"
    r"|ignora|ignore|ignorad|olvida|olvide|olviden|descarta|descarte|no sigas|no siga|omite"
    r"|haz caso omiso|haga caso omiso"
    r"|ignoriere?n?|vergiss|vergessen|missachten?|missachte|übergehe?n?|befolge nicht|umgehe"
    r"|ignorez|ignorer|oublie|oubliez|oublier|ne suis plus|ne suivez plus|contourne|contournez|ne tiens pas compte"
    r"|ne tenez pas compte"
    r"|ignori|dimentica|dimentichi|dimenticate|trascura|non seguire|aggira"
    r"|esqueça|esquece|esquecer|desconsidere|desconsidera|não siga|não sigas|contorne)"
)
_DO_FORGET: Final = (
    r"(?<!don't )(?<!not )(?<!never )(?<!no )(?<!n')(?<!não )(?<!non )(?<!nicht )(?<!ne pas )"
    rf"{_FORGET}\b(?! (sie )?nicht\b|-?(vous|toi)? ?pas\b)"
)
"""Nobody who says "don't forget the instructions" gives an order to a model."""

_SHOW: Final = (
    r"(reveal|print|repeat|output|display|leak|disclose|recite"
    r"|revela|revele|muestra|muestre|imprime|imprima|repite|repita"
    r"|zeig|zeige|zeigen|verrate|verraten|wiederhole|wiederholen|nenne|gib"
    r"|révèle|révélez|montre|montrez|affiche|affichez|répète|répétez|donne|donnez"
    r"|rivela|riveli|mostra|mostri|stampa|ripeti|dimmi"
    r"|revele|mostre|mostra|imprima|repita)"
)
_ONLY: Final = (
    r"((answer|reply|respond|output|print) (only|exactly|nothing but|just|with only|only with|with exactly"
    r"|with the (word|words|text|phrase))"
    r"|(responde|responda|contesta|conteste) (solo|sólo|solamente|únicamente|exactamente)"
    r"|(antworte|antworten sie|gib) (nur|ausschließlich|lediglich|genau)"
    r"|(réponds|répondez|affiche|affichez) (uniquement|seulement|exactement|juste)"
    r"|(rispondi|risponda|stampa) (solo|soltanto|esattamente|unicamente)"
    r"|(responda|responde|imprima) (apenas|somente|só|exatamente))"
)
_MODEL: Final = (
    r"(ai|a\.i\.|assistant(?! manager)|language model|chatbot|llm|gpt|chatgpt|copilot|summari[sz]er"
    r"|ia|asistente|modelo de lenguaje|resumidor"
    r"|ki|assistenzsystem|sprachmodell"
    r"|modèle de langage|modèle sans|modelo sem|modelo sin"
    r"|assistente|modello linguistico"
    r"|modelo de linguagem)"
)
_NEAR: Final = r"[^.!?]{0,40}?"
_CLAUSE: Final = r"[^.!?]{0,80}?"

_ORDERS: Final = (
    rf"{_DO_FORGET}{_NEAR}\b{_RULES_OF_A_MODEL}\b",
    rf"{_DO_FORGET}{_NEAR}\b(everything|anything|all|what) (above|you were told|you know)",
    r"(olvida|olvide|ignora|ignore) (todo )?lo (anterior|que te|que le)",
    r"(vergiss|vergessen sie|ignoriere?n?( sie)?) (alles|was) \S* ?(bisher|vorher|zuvor|davor|man)",
    r"(oublie|oubliez|ignore|ignorez) (tout )?ce qui (précède|a été)",
    r"(dimentica|dimentichi|ignora|ignori) (tutto )?(quello|ciò) che",
    r"(esqueça|esquece|ignore|ignora) (tudo )?o que (foi|veio|eu|te|lhe)",
    rf"{_SHOW}\b{_NEAR}\b(system|hidden|secret|initial|original|your|tu|su|sus|tus|deine?n?|ihre?n?|tes|ton"
    rf"|votre|vos|il tuo|le tue|suas?|seu|o seu|del sistema|système|sistema)\b{_NEAR}\b"
    r"(prompts?|instructions?|instrucciones|anweisung(en)?|systemprompt|consignes|istruzioni|instruções|api keys?)\b",
    rf"{_ONLY}\b(?!,? (if|when|in case|after|to|by|wenn|falls|auf|si|cuando|a|quand|par|aux|à|se|quando|alle|às?|as"
    r"|caso)\b)",
    rf"(you are|you're|act as|behave as|pretend (to be|you are)|from now on,? you|roleplay as) {_NEAR}"
    rf"\b({_MODEL}|dan|developer mode|unrestricted|jailbroken|free of|without (any )?(rules|restrictions|limits))\b",
    rf"(eres|actúa como|actúe como|compórtate como|finge (ser|que)|a partir de ahora,? (eres|serás)) {_NEAR}"
    rf"\b({_MODEL}|dan|sin (reglas|restricciones|límites|filtros))\b",
    rf"(du bist|sie sind|verhalte dich|verhalten sie sich|tu so|ab jetzt bist du|ab sofort bist du|spiele?) "
    rf"{_NEAR}\b({_MODEL}|dan|ohne (regeln|einschränkungen|grenzen|filter))\b",
    rf"(tu es|vous êtes|agis comme|agissez comme|comporte-toi|fais semblant|désormais,? tu es) {_NEAR}"
    rf"\b({_MODEL}|dan|sans (règles|restrictions|limites|filtres?))\b",
    rf"(sei|tu sei|agisci come|comportati come|fingi di|d'ora in poi sei) {_NEAR}"
    rf"\b({_MODEL}|dan|senza (regole|restrizioni|limiti|filtri))\b",
    rf"(você é|tu és|aja como|age como|comporte-se como|finja|a partir de agora,? (você|tu)) {_NEAR}"
    rf"\b({_MODEL}|dan|sem (regras|restrições|limites|filtros))\b",
    rf"(attention|note|message|hey|dear|hello|attn|important|achtung|hinweis|nachricht|atención|nota|mensaje"
    rf"|attenzione|messaggio|atenção|mensagem|querid[oa]|liebe[rs]?|chère?|cara?o?)\b[,:]? "
    rf"(to|for|an|für|an die|an das|para|al|a la|à|pour|à l'|per|all'|ao|à)? ?(the |any |das |den |die |el |la |le |l'"
    rf"|il |o )?{_MODEL}\b",
    rf"(as an?|als|como|en tant qu[e']|come) (an? |eine? |un[ae]? |uma? )?{_MODEL}\b,? {_NEAR}"
    r"\b(must|should|have to|will|musst|müssen|sollst|debes|debe|tienes|dois|devez|devi|deve|tem)\b",
    rf"(in|into|en|im|dans|nel|nella|no|na) (the |your |el |la |tu |su |der |die |deiner |ihrer |dem |le |ton |votre"
    rf" |il |o |a |seu |sua )?(summary|resumen|zusammenfassung|résumé|riassunto|resumo)\b,? {_NEAR}\b(write|say|claim"
    r"|state|include|mention|put|add|escribe|escriba|pon|ponga|di|incluye|schreib\w*|behaupte|erwähne|füge|écris"
    r"|écrivez|mets|mettez|dis|inclus|scrivi|scriva|metti|includi|escreva|escreve|coloque|diga|inclua)\b",
    r"(write|put|add|include|claim|state) [^.!?]{0,60}?\b(in|into|to) (the|your) summary\b",
    r"(the|your|la|el|die|deine|le|ton|il|o|seu|la tua) (summary|resumen|zusammenfassung|résumé|riassunto|resumo) "
    rf"(must|should|shall|has to|debe|tiene que|muss|soll|doit|deve|tem de|tem que)\b{_NEAR}\b(say|contain|state|read"
    r"|mention|include|decir|contener|incluir|lauten|sagen|enthalten|dire|contenir|inclure|mentionner|contenere|includere|dizer"
    r"|conter|incluir)\b",
    r"(do not|don't|never|must not|no|nicht|ne|non|não) (mention|include|summari[sz]e|report|menciones|mencione"
    r"|incluyas|resumas|erwähnen|mentionne|mentionnez|résume|résumez|menzionare|riassumere|mencione|resuma)\b"
    rf"{_NEAR}\b(summary|transcript|resumen|zusammenfassung|résumé|riassunto|resumo)\b",
    r"((new|updated|override|following) (system )?(instructions?|prompt)|nuevas instrucciones|neue anweisung(en)?"
    r"|nouvelles (instructions|consignes)|nuove istruzioni|novas instruções) ?[:.,]",
    r"(developer mode|debug mode|jailbreak|prompt injection|god mode|modo (de )?desarrollador|entwicklermodus"
    r"|mode développeur|modalità sviluppatore|modo (de )?desenvolvedor)\b",
    r"(system prompt|systemprompt|prompt del sistema|prompt système|prompt di sistema|prompt do sistema)\b",
    rf"(decode|execute|run|eval|ejecuta|ejecute|führe|exécute|exécutez|esegui|execute)\b{_NEAR}\b(base64|this "
    r"(code|command|script)|este (código|comando)|diesen (code|befehl)|ce (code|script)|questo (codice|comando))",
    rf"(send|post|forward|upload|exfiltrate|envía|envíe|schicke|sende|envoie|envoyez|invia|envie)\b{_CLAUSE}"
    r"\b(transcript|conversation|summary|api key|transcripción|conversación|transkript|gespräch|conversation"
    rf"|trascrizione|conversazione|transcrição|conversa)\b{_CLAUSE}(https?:|www\.|\bto (evil|attacker))",
    rf"(end of|ende des|fin de la|fin du|fine della|fim da) (transcript|conversation|transkripts?|gesprächs"
    rf"|transcripción|conversación|transcription|trascrizione|conversazione|transcrição|conversa)\b{_CLAUSE}"
    r"[.:!]? ?(now|next|jetzt|ahora|maintenant|adesso|agora)\b",
)
"""What begins with a word."""

_MARKS: Final = (
    r"<\|?\s*(im_start|im_end|system|endoftext|assistant|user|inst)\b|\[/?(inst|system)\]|<</?sys>>",
    r"^\s*#*\s*(system|assistant|developer)\s*:",
    r"!\[[^\]]*\]\(https?:",
)
"""What begins with a sign, or a line."""

_ATTACKS: Final = re.compile(rf"\b(?:{'|'.join(_ORDERS)})|{'|'.join(_MARKS)}", re.MULTILINE)

_HARMS: Final = {
    "self-harm": re.compile(
        r"\b(suicide|kill myself|hurt myself|suicidarme|suicidio|mich umbringen|selbstmord|me suicider|suicidarmi"
        r"|me matar|suicídio)\b"
    ),
    "violence": re.compile(
        r"\b(kill (you|yourself)|murder you|i will hurt you|bomb threat|te mataré|voy a matar|umbringen"
        r"|ich bringe dich um|je vais te tuer|ti uccido|vou te matar)\b"
    ),
}


class RuleGuard:
    """A ``Guard`` on rules."""

    name = "rules"

    async def attacks(self, texts: Sequence[str]) -> Sequence[bool]:
        """Return which texts are worded like an order to a model."""
        if len(texts) <= _AT_ONCE:
            return [is_attack(text) for text in texts]
        return await asyncio.to_thread(lambda: [is_attack(text) for text in texts])

    async def harms(self, texts: Sequence[str]) -> Sequence[str | None]:
        """Return what is harmful about each text, as far as a few phrases tell."""
        return [next((kind for kind, words in _HARMS.items() if words.search(_plain(text))), None) for text in texts]


def is_attack(text: str) -> bool:
    """Return whether a text is worded like an order to a model."""
    return _ATTACKS.search(_plain(text)) is not None


def _plain(text: str) -> str:
    """Return a text in small letters, without what hides words: invisible characters, other forms of letters."""
    shown = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower()
    return "\n".join(" ".join(line.split()) for line in shown.splitlines())
