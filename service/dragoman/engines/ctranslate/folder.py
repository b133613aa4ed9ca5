"""What a folder holds: which translation model, for which languages, and how it wants to be addressed."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from dragoman.domain.errors import DependencyMissingError, LocaleError, ModelInvalidError, ModelMissingError
from dragoman.domain.language import base_language
from dragoman.engines.ctranslate.languages import GROUPS, canonical
from dragoman.engines.ctranslate.model import Prompt, SentencePieceFiles, Style, TokenizerFile, TranslationModel

STYLES: Final = (
    "A translation model is a folder in one of four styles. "
    "OPUS-MT: model.bin, shared_vocabulary.json, source.spm, target.spm, in a folder named like 'opus-mt-es-en'. "
    "NLLB or M2M-100: model.bin, shared_vocabulary.json, and tokenizer.json or sentencepiece.bpe.model. "
    "Argos: metadata.json, sentencepiece.model, model/model.bin. "
    "Dragoman: translation.json, tokenizer.json, model.bin, shared_vocabulary.json."
)

_FOLDER_NAME: Final = re.compile(
    r"(?:.*opus-mt-(?:tc-)?(?:bible-)?(?:(?:big|base)-)?)?(?P<source>[A-Za-z_]{2,})-(?P<target>[A-Za-z_]{2,})(?:[-.].*)?"
)
_OPUS_TARGET: Final = re.compile(r">>(\w+)<<")
_NLLB_LANGUAGE: Final = re.compile(r"([a-z]{3}_[A-Z][a-z]{3})")
_M2M100_LANGUAGE: Final = re.compile(r"__([a-z]{2,3})__")

_Shape = TypeVar("_Shape")


def describe(folder: Path) -> TranslationModel:
    """Return what ``folder`` holds; reads its small files and vocabulary, not its weights.

    The style is told by the files that only it has. Languages come from the folder's name (OPUS-MT), from the
    vocabulary (NLLB, M2M-100, and the targets of OPUS-MT models that have several) or from the style's own JSON file:
    Argos' ``metadata.json``, or ``translation.json``::

        {"kind": "dragoman-translation", "version": 1, "languages": ["en", "es"], "tokenizer": "tokenizer.json",
         "source_prefix": ["<{source}>", "<{target}>"], "target_prefix": []}

    where every language translates into every other, ``{source}`` and ``{target}`` stand for entries of
    ``languages``, and the source ends with the end token of CTranslate2's ``config.json``.

    Raises:
        ModelMissingError: if there is no such folder.
        ModelInvalidError: if it is of no known style, or lacks a file; the message names it.
        DependencyMissingError: if the model needs SentencePiece and it is not installed.
    """
    if not folder.is_dir():
        raise ModelMissingError(f"There is no folder '{folder}'. {STYLES}")
    for marker, read in _READERS.items():
        if (folder / marker).is_file():
            model = read(folder)
            check_tokenizer(model, installed=lambda package: find_spec(package) is not None)
            return model
    raise ModelInvalidError(f"'{folder.name}' holds no translation model that we know. {STYLES}")


def check_tokenizer(model: TranslationModel, installed: Callable[[str], bool]) -> None:
    """Refuse a model whose tokenizer needs a package that is not there.

    Raises:
        DependencyMissingError: the message says how to install it.
    """
    if isinstance(model.tokenizer, SentencePieceFiles) and not installed("sentencepiece"):
        raise DependencyMissingError(
            f"The model '{model.folder.name}' needs SentencePiece: pip install 'dragoman[asr-local]'"
        )


@dataclass(frozen=True, slots=True)
class _Config:
    """The part of CTranslate2's ``config.json`` that decides how a source ends."""

    eos_token: str = "</s>"  # noqa: S105 - a token of text
    add_source_eos: bool = False


@dataclass(frozen=True, slots=True)
class _ArgosMetadata:
    from_code: str
    to_code: str
    target_prefix: str = ""


@dataclass(frozen=True, slots=True)
class _DragomanTranslation:
    kind: Literal["dragoman-translation"]
    version: Literal[1]
    languages: Annotated[tuple[str, ...], Field(min_length=2)]
    tokenizer: str
    source_prefix: tuple[str, ...] = ()
    target_prefix: tuple[str, ...] = ()


def _read_opus(folder: Path) -> TranslationModel:
    name = _FOLDER_NAME.fullmatch(folder.name)
    if name is None:
        raise ModelInvalidError(f"'{folder.name}' does not name its languages. {STYLES}")
    sources = _named_languages(name["source"], folder)
    tokens = _language_tokens(_vocabulary(folder), _OPUS_TARGET)
    named = name["target"]
    targets = _opus_targets(named, tokens) if tokens else _named_languages(named, folder)
    return TranslationModel(
        style=Style.OPUS_MT,
        folder=folder,
        weights=_weights(folder),
        tokenizer=SentencePieceFiles(_file(folder, "source.spm"), _file(folder, "target.spm")),
        sources=sources,
        targets=targets,
        template=Prompt(before=("{target}",) if tokens else (), after=_source_end(folder)),
    )


def _read_multilingual(folder: Path) -> TranslationModel:
    vocabulary = _vocabulary(folder)
    style, languages = Style.NLLB, _language_tokens(vocabulary, _NLLB_LANGUAGE)
    if not languages:
        style, languages = Style.M2M100, _language_tokens(vocabulary, _M2M100_LANGUAGE)
    if not languages:
        raise ModelInvalidError(
            f"The vocabulary of '{folder.name}' has no languages like 'eng_Latn' (NLLB) or '__en__' (M2M-100). {STYLES}"
        )
    pieces = folder / "sentencepiece.bpe.model"
    fast = folder / "tokenizer.json"
    return TranslationModel(
        style=style,
        folder=folder,
        weights=_weights(folder),
        tokenizer=TokenizerFile(fast) if fast.is_file() else SentencePieceFiles(pieces, pieces),
        sources=languages,
        targets=languages,
        template=Prompt(before=("{source}",), after=_source_end(folder), target=("{target}",)),
    )


def _read_argos(folder: Path) -> TranslationModel:
    metadata = _parse(folder / "metadata.json", _ArgosMetadata)
    pieces = _file(folder, "sentencepiece.model")
    return TranslationModel(
        style=Style.ARGOS,
        folder=folder,
        weights=_weights(folder / "model"),
        tokenizer=SentencePieceFiles(pieces, pieces),
        sources=_languages([metadata.from_code], folder),
        targets=_languages([metadata.to_code], folder),
        template=Prompt(target=(metadata.target_prefix,) if metadata.target_prefix else ()),
    )


def _read_dragoman(folder: Path) -> TranslationModel:
    translation = _parse(folder / "translation.json", _DragomanTranslation)
    languages = _languages(translation.languages, folder)
    return TranslationModel(
        style=Style.DRAGOMAN,
        folder=folder,
        weights=_weights(folder),
        tokenizer=TokenizerFile(_file(folder, translation.tokenizer)),
        sources=languages,
        targets=languages,
        template=Prompt(translation.source_prefix, _source_end(folder), translation.target_prefix),
    )


_READERS: Final[Mapping[str, Callable[[Path], TranslationModel]]] = {
    "translation.json": _read_dragoman,
    "metadata.json": _read_argos,
    "source.spm": _read_opus,
    "target.spm": _read_opus,
    "sentencepiece.bpe.model": _read_multilingual,
    "tokenizer.json": _read_multilingual,
}
"""Readers by the file that gives a style away, the surest first."""


def _languages(codes: Iterable[str], folder: Path) -> dict[str, str]:
    try:
        return {canonical(code): code for code in codes}
    except LocaleError as error:
        raise ModelInvalidError(f"In '{folder.name}': {error}") from error


def _named_languages(name: str, folder: Path) -> dict[str, str]:
    """Return the languages of one half of a folder's name: ``es``, ``cat_oci_spa`` or a group like ``ROMANCE``."""
    group = GROUPS.get(name.lower())
    if group is None:
        return _languages(name.split("_"), folder)
    if not group:
        raise ModelInvalidError(
            f"'{name}' in '{folder.name}' does not say which languages; list them in the folder's name, for example "
            "'opus-mt-fr_it_pt-en'."
        )
    return _languages(group, folder)


def _language_tokens(vocabulary: Iterable[str], pattern: re.Pattern[str]) -> dict[str, str]:
    """Return the language tokens of a vocabulary by tag; of two for one tag, the first."""
    tokens: dict[str, str] = {}
    for token in vocabulary:
        if match := pattern.fullmatch(token):
            try:
                tokens.setdefault(canonical(match[1]), token)
            except LocaleError:
                continue  # codes that no standard knows, which nobody can ask for
    return tokens


def _opus_targets(name: str, tokens: Mapping[str, str]) -> Mapping[str, str]:
    """Return the tokens of the named language, or all of them where the name is a list or a group."""
    if "_" in name:
        return tokens
    try:
        language = base_language(canonical(name))
    except LocaleError:
        return tokens
    return {tag: token for tag, token in tokens.items() if base_language(tag) == language} or tokens


def _source_end(weights: Path) -> tuple[str, ...]:
    """Return the end token, unless CTranslate2 adds it: models that its Transformers converter wrote expect it."""
    path = weights / "config.json"
    config = _parse(path, _Config) if path.is_file() else _Config()
    return () if config.add_source_eos else (config.eos_token,)


def _weights(folder: Path) -> Path:
    """Return a folder that CTranslate2 can load, as far as its file names tell."""
    _file(folder, "model.bin")
    _vocabulary_file(folder)
    return folder


def _vocabulary(weights: Path) -> list[str]:
    """Return the tokens that the encoder knows."""
    path = _vocabulary_file(weights)
    if path.suffix == ".txt":
        return _text(path).split("\n")
    return _parse(path, list[str])


def _vocabulary_file(weights: Path) -> Path:
    names = (f"{role}_vocabulary.{suffix}" for role in ("shared", "source") for suffix in ("json", "txt"))
    for path in (weights / name for name in names):
        if path.is_file():
            return path
    return _file(weights, "shared_vocabulary.json")


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise ModelInvalidError(f"'{folder}' lacks '{name}'. {STYLES}")
    return path


def _parse(path: Path, shape: type[_Shape]) -> _Shape:
    try:
        return TypeAdapter(shape).validate_json(_text(path))
    except ValidationError as error:
        fields = ", ".join(sorted({str(item["loc"][0]) if item["loc"] else "the JSON" for item in error.errors()})[:5])
        raise ModelInvalidError(f"'{path}' cannot be used as it is; wrong: {fields}. {STYLES}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelInvalidError(f"'{path}' cannot be read as text.") from error
