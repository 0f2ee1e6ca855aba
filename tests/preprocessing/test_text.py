"""Folding and tokenisation, and that offsets always lead back to the user's own words."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.text import content_words, fold, mask_digits, stop_words, tokenize

pieces = st.sampled_from(
    [
        *("é", "É", "e\u0301", "œ", "ß", "İ", "ﬁ", "&eacute;", "&amp;eacute;", "&#233;", "&nbsp;", "&", "<br>", "</p>"),
        *("<b class='x'>", "< 3 ans", "a > b", "<!-- c -->", "<script>x()</script>", " ", "\n", "\u00a0", "\u200b"),
        *("\x00", "12", "d'angle", "T-Shirt", "🧸", "北京", "-", "_"),
    ]
)
messy = st.one_of(st.text(max_size=200), st.lists(pieces, max_size=30).map("".join))


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("Canapé d'angle", "canape d'angle"),
        ("CANAPÉ  D’ANGLE ", "canape d'angle"),
        ("Cuill&egrave;re &amp; fourchette", "cuillere & fourchette"),
        ("L&amp;#39;&amp;eacute;t&eacute;", "l'ete"),
        ("<p>Table<br/>basse</p>", "table basse"),
        ("avant <script>alert('x')</script> après", "avant apres"),
        ("dès 3 ans & < 36 mois", "des 3 ans & < 36 mois"),
        ("a < b, c > d", "a < b, c > d"),
        ("&lt;p&gt;Lampe&lt;/p&gt; &lt;br&gt; de chevet", "lampe de chevet"),
        ("<td nowrap>Prix</td><input disabled>", "prix"),
        ("<a href='x>y' title=\"a > b\">Lien</a>", "lien"),
        ("caf&eacute cr&egrave;me &amp th&eacute", "cafe creme & the"),
        ("&notanentity; AT&T; R&D", "&notanentity; at&t; r&d"),
        ("&amp;amp;amp;lt; 3 ans", "< 3 ans"),
        ("aspi\u00adrateur cro\u200bquettes \ufeffchat \u202eabc", "aspirateur croquettes chat abc"),
        ("Œuvre, STRASSE ß, ﬁn", "oeuvre, strasse ss, fin"),
        ("e\u0301te\u0301", "ete"),
        ("x\u00a0\u2003y\tz", "x y z"),
        ("&inconnu; &", "&inconnu; &"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_fold(raw: str, folded: str) -> None:
    assert fold(raw).text == folded


@pytest.mark.parametrize(
    ("raw", "spans"),
    [
        ("Été à la Plage", ["Été", "à", "la", "Plage"]),
        ("<b>P&eacute;luche</b> 45x45cm", ["P&eacute;luche", "45x45cm"]),
        ("e\u0301te\u0301 2020", ["e\u0301te\u0301", "2020"]),
        ("L'Œuvre N°12", ["L", "Œuvre", "N", "12"]),
        ("🧸 doudou", ["doudou"]),
    ],
)
def test_tokens_lead_back_to_what_was_typed(raw: str, spans: list[str]) -> None:
    found = [raw[t.start : t.end] for t in tokenize(raw)]
    assert found == spans


@given(messy)
def test_offsets_are_ordered_and_inside(raw: str) -> None:
    folded = fold(raw)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert all(0 <= a < b <= len(raw) for a, b in zip(folded.starts, folded.ends, strict=True))
    assert folded.starts == sorted(folded.starts)
    tokens = tokenize(raw)
    for before, after in pairwise(tokens):
        assert before.start < before.end and before.start <= after.start
    assert "  " not in folded.text and folded.text == folded.text.strip()


@given(messy)
def test_folding_twice_changes_nothing_but_markup(raw: str) -> None:
    once = fold(raw).text
    if "<" not in once and "&" not in once:
        assert fold(once).text == once


@given(st.text(max_size=80))
def test_folded_text_has_no_accents_or_capitals(raw: str) -> None:
    text = fold(raw).text
    assert not any(unicodedata.combining(c) for c in text)
    assert tokenize(raw.upper()) is not None
    assert all(t.text and not t.text.isspace() for t in tokenize(raw))


@given(st.text(alphabet="abcdeéèàçô ABCÉÈ'-", max_size=60))
def test_case_and_accents_do_not_matter(raw: str) -> None:
    plain = "".join(c for c in unicodedata.normalize("NFD", raw) if not unicodedata.combining(c))
    assert [t.text for t in tokenize(raw.upper())] == [t.text for t in tokenize(plain.lower())]


def test_stop_words_come_from_the_repository() -> None:
    words = stop_words()
    assert {"le", "la", "des", "pour", "etre", "meme"} <= words
    assert "table" not in words and len(words) > 100


def test_content_words() -> None:
    assert [t.text for t in content_words(tokenize("Lot de 3 livres pour l'été"))] == ["lot", "livres", "ete"]


def test_mask_digits() -> None:
    assert mask_digits("45x45cm") == "00x00cm"


def test_a_long_run_of_open_brackets_is_fast() -> None:
    assert fold("<a" * 20_000).text
    assert fold("&amp;" * 20_000).text
    assert fold("<!--" * 5_000).text
    assert fold("<script>" * 3_000) is not None
