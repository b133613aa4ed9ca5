import pytest

from dragoman.evaluation.normalise import words


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("en-US", "Don't pay 1,000 dollars!", "dont pay 1000 dollars"),
        ("en-US", "Um, I'd say 48% — uh, yes.", "id say 48 percent yes"),
        ("de-DE", "Die Straße, äh, um 12 Uhr.", "die strasse um 12 uhr"),  # "um" is a word here
        ("de-DE", "1.000 Euro", "1000 euro"),
        ("de-DE", "3.50 Euro", "3 50 euro"),
        ("fr-FR", "L’appareil coûte 55 %, euh, aujourd'hui.", "l appareil coûte 55 pour cent aujourd hui"),
        ("fr-FR", "10\u202f000 euros", "10000 euros"),
        ("es-ES", "¿Cuánto es? ¡10 €!", "cuánto es 10 euros"),
        ("es-ES", "ﬁnal ＡＢＣ", "final abc"),  # compatibility forms
        ("ja-JP", "今日は、いい天気。", "今 日 は い い 天 気"),
        ("pl-PL", "Zażółć 100%", "zażółć 100"),  # what nobody told us about a language is left alone
        ("en-US", " … ", ""),
    ],
)
def test_words_that_are_said_alike_are_alike(locale: str, text: str, expected: str) -> None:
    assert " ".join(words(text, locale)) == expected
