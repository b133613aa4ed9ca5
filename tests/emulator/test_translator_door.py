"""Azure's Translator SDK against the emulator."""

import httpx2
import pytest
from azure.ai.translation.text import TextTranslationClient
from azure.ai.translation.text.models import TranslatedTextItem, TranslateInputItem, TranslationTarget
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from dragoman.emulator.admission import KEY
from dragoman.emulator.faults import Fault
from tests.emulated import Emulator


def client(emulator: Emulator, key: str = KEY) -> TextTranslationClient:
    return TextTranslationClient(endpoint=emulator.url, credential=AzureKeyCredential(key), retry_total=0)


def translated(emulator: Emulator, *inputs: TranslateInputItem) -> list[TranslatedTextItem]:
    with client(emulator) as made:
        return made.translate(list(inputs))


def item(text: str, language: str | None, *targets: str, kind: str = "Plain") -> TranslateInputItem:
    return TranslateInputItem(
        text=text, language=language, text_type=kind, targets=[TranslationTarget(language=each) for each in targets]
    )


def test_texts_are_translated_into_all_their_targets(emulator: Emulator) -> None:
    result = translated(emulator, item("Buenos días.", "es", "en", "de"), item("Good morning.", "en", "fr"))
    first, second = result
    assert [made.language for made in first.translations] == ["en", "de"]
    assert "good morning" in first.translations[0].text.lower()
    assert [made.language for made in second.translations] == ["fr"]
    assert first.translations[0].source_characters == len("Buenos días.")
    assert emulator.exchanges == ["translator POST /translate 200"]


def test_the_path_of_a_custom_domain_is_served_too(emulator: Emulator) -> None:
    body = {"inputs": [{"text": "Hola.", "language": "es", "targets": [{"language": "en"}]}]}
    answer = httpx2.post(
        f"{emulator.url}/translator/text/v2026-06-06/translate?api-version=2026-06-06",
        json=body,
        headers={"Ocp-Apim-Subscription-Key": KEY},
    )
    assert answer.status_code == 200
    assert answer.headers["x-metered-usage"] == "5"


def test_words_that_are_marked_stay_as_they_are(emulator: Emulator) -> None:
    text = 'Good morning. <span class="notranslate">Contoso &amp; Co</span>'
    result = translated(emulator, item(text, "en", "de", kind="Html"))
    assert '<span class="notranslate">Contoso &amp; Co</span>' in result[0].translations[0].text


def test_languages_are_those_of_the_engine(emulator: Emulator) -> None:
    with client(emulator) as made:
        known = made.get_supported_languages(scope="translation").translation
    assert known is not None
    assert set(known) == {"de", "en", "es", "fr"}
    assert (known["de"].name, known["de"].native_name) == ("German", "Deutsch")


@pytest.mark.parametrize(
    "bad",
    [
        item("Hola.", "es", "xx-nonsense"),
        item("Hola.", "es", "ja"),
        item("Hola.", "nonsense", "en"),
        item("Hola.", None, "en"),
        item("x" * 50_001, "es", "en"),
    ],
)
def test_what_the_service_refuses_is_refused(emulator: Emulator, bad: TranslateInputItem) -> None:
    with pytest.raises(HttpResponseError) as caught:
        translated(emulator, bad)
    assert caught.value.status_code == 400
    assert caught.value.error is not None
    assert str(caught.value.error.code).startswith("400")


def test_a_wrong_key_is_refused(emulator: Emulator) -> None:
    with client(emulator, "another") as made, pytest.raises(ClientAuthenticationError):
        made.translate([item("Hola.", "es", "en")])


def test_it_fails_as_it_is_told_to(emulator: Emulator) -> None:
    emulator.faults.add(Fault(door="translator", status=429, retry_after_s=7))
    with pytest.raises(HttpResponseError) as caught:
        translated(emulator, item("Hola.", "es", "en"))
    assert caught.value.status_code == 429
    headers: dict[str, str] = getattr(caught.value.response, "headers", {})
    assert headers["Retry-After"] == "7"
    assert translated(emulator, item("Hola.", "es", "en"))
