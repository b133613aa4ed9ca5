from pathlib import Path

import pytest

from dragoman.engines.ctranslate.model import Prompt, Style, TokenizerFile, TranslationModel
from dragoman.engines.ctranslate.routes import find_route


def model(pairs: str) -> TranslationModel:
    """Return a model of ``"es,pt>en"``."""
    sources, targets = ({tag: tag for tag in side.split(",")} for side in pairs.split(">"))
    folder = Path(pairs)
    return TranslationModel(
        Style.OPUS_MT, folder, folder, TokenizerFile(folder / "tokenizer.json"), sources, targets, Prompt()
    )


@pytest.mark.parametrize(
    ("models", "source", "target", "legs"),
    [
        (["es>en"], "es-MX", "en", ["es>en"]),
        (["es>en"], "en-US", "es", None),
        (["es>en"], "es-MX", "es", None),
        (["es>en", "en>de"], "es-ES", "de", ["es>en", "en>de"]),  # through English
        (["es>en", "en>de", "es>de"], "es-ES", "de", ["es>de"]),  # a direct model wins
        (["es>en", "en>es"], "es-MX", "es", None),  # nowhere and back
        (["en,nb>en,nb"], "no-NO", "nb", None),
        (["es>de", "fr>de"], "fr-FR", "de", ["fr>de"]),
        (["en>pt", "en>pt-BR"], "en-US", "pt-BR", ["en>pt-BR"]),  # the closest model wins
        (["en>pt", "en>pt-BR"], "en-US", "pt-PT", ["en>pt"]),
        (["en,de>en,de", "en>de"], "en-US", "de", ["en,de>en,de"]),  # of equals, the first
        (["en,de>en,de"], "en-GB", "en-US", None),
        (["en>de"], "en-US", "not a tag", None),
        ([], "en-US", "de", None),
    ],
)
def test_the_way_from_one_language_to_another(
    models: list[str], source: str, target: str, legs: list[str] | None
) -> None:
    route = find_route([model(pairs) for pairs in models], source, target)
    assert (route and [leg.model.folder.name for leg in route]) == legs
