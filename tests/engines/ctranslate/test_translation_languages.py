import pytest

from dragoman.domain.errors import LocaleError
from dragoman.engines.ctranslate.languages import canonical, closest, writes_spaces

FLORES = """
eng_Latn zho_Hans zho_Hant yue_Hant arb_Arab arb_Latn pes_Arab prs_Arab zsm_Latn nob_Latn nno_Latn lvs_Latn khk_Cyrl
uzn_Latn azj_Latn azb_Arab ory_Orya als_Latn kmr_Latn ckb_Arab swh_Latn ydd_Hebr npi_Deva pbt_Arab plt_Latn gaz_Latn
quy_Latn ayr_Latn tgl_Latn kor_Hang jpn_Jpan heb_Hebr srp_Cyrl
"""


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("es", "es"),
        ("fra", "fr"),
        ("pt_br", "pt-BR"),
        ("cmn_Hans", "zh-Hans"),
        ("srp_Latn", "sr-Latn"),
        ("zt", "zh-Hant"),
        ("pb", "pt-BR"),
        ("ns", "nso"),
        ("iw", "he"),
        ("no", "nb"),
        ("prs_Arab", "fa-AF"),
    ],
)
def test_a_models_code_becomes_a_tag(code: str, tag: str) -> None:
    assert canonical(code) == tag


@pytest.mark.parametrize("code", ["ROMANCE", "zzzzzzzzz", "", "x1"])
def test_what_names_no_language_is_refused(code: str) -> None:
    with pytest.raises(LocaleError):
        canonical(code)


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en-GB", "eng_Latn"),
        ("zh-CN", "zho_Hans"),
        ("zh-TW", "zho_Hant"),
        ("zh-Hant", "zho_Hant"),
        ("yue-HK", "yue_Hant"),
        ("ar-EG", "arb_Arab"),
        ("fa-IR", "pes_Arab"),
        ("ms-MY", "zsm_Latn"),
        ("nb-NO", "nob_Latn"),
        ("nn-NO", "nno_Latn"),
        ("no", "nob_Latn"),
        ("lv-LV", "lvs_Latn"),
        ("mn-MN", "khk_Cyrl"),
        ("uz-UZ", "uzn_Latn"),
        ("az-AZ", "azj_Latn"),
        ("or-IN", "ory_Orya"),
        ("sq-AL", "als_Latn"),
        ("ku", "kmr_Latn"),
        ("ckb", "ckb_Arab"),
        ("sw-KE", "swh_Latn"),
        ("yi", "ydd_Hebr"),
        ("ne-NP", "npi_Deva"),
        ("ps-AF", "pbt_Arab"),
        ("mg", "plt_Latn"),
        ("om-ET", "gaz_Latn"),
        ("qu-PE", "quy_Latn"),
        ("ay", "ayr_Latn"),
        ("fil-PH", "tgl_Latn"),
        ("ko-KR", "kor_Hang"),
        ("ja-JP", "jpn_Jpan"),
        ("he-IL", "heb_Hebr"),
        ("sr-RS", "srp_Cyrl"),
    ],
)
def test_every_locale_finds_its_flores_code(tag: str, code: str) -> None:
    codes = {canonical(known): known for known in FLORES.split()}
    match = closest(tag, codes)
    assert match is not None
    assert codes[match[1]] == code


@pytest.mark.parametrize(
    ("tag", "known", "expected"),
    [
        ("es", ["es"], (0, "es")),
        ("es-MX", ["es"], (1, "es")),
        ("pt-BR", ["pt", "pt-BR"], (0, "pt-BR")),
        ("pt-PT", ["pt-BR", "pt"], (1, "pt")),
        ("pt-PT", ["pt-BR"], (2, "pt-BR")),
        ("zh-TW", ["zh"], (3, "zh")),  # one entry for both scripts
        ("zh-Hant", ["zh"], None),  # a script that was asked for is kept
        ("sr-Latn", ["sr-Cyrl"], None),
        ("zh", ["zh-Hant", "zh-Hans"], (0, "zh-Hans")),
        ("acm", ["acm-Arab"], (3, "acm-Arab")),  # CLDR does not know its script
        ("de", ["es", "fr"], None),
        ("de", [], None),
    ],
)
def test_the_closest_language(tag: str, known: list[str], expected: tuple[int, str] | None) -> None:
    assert closest(tag, known) == expected


def test_chinese_and_japanese_write_no_spaces() -> None:
    assert [writes_spaces(tag) for tag in ("zh-Hans", "ja", "ko", "en")] == [False, False, True, True]
