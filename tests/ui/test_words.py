import re
from html import unescape

import pytest

from model.product import WordContribution
from ui.words import highlighted, strength


def word(text: str, raw: str, lexical: float, semantic: float = 0.0, field: str = "designation") -> WordContribution:
    start = text.index(raw)
    return WordContribution(field, start, start + len(raw), raw.lower(), lexical, semantic)


def visible(html: str) -> str:
    """The text a reader sees, without the signs."""
    return unescape(re.sub(r"<[^>]*>", "", re.sub(r"<sup>.</sup>", "", html)))


pytestmark = pytest.mark.usefixtures("english")


def test_words_are_marked_by_sign_and_strength():
    text = "Table rouge pliante"
    html = highlighted(text, [word(text, "Table", 2, 1), word(text, "rouge", -1), word(text, "pliante", 0.01)], 3)
    assert re.findall(r'<mark class="(\w+)"[^>]*>(\w+)<sup>(.)</sup>', html) == [
        ("for", "Table", "+"),
        ("against", "rouge", "−"),
    ]
    assert "<span" in html and ">pliante</span>" in html
    strengths = [float(a) for a in re.findall(r"rgba\([^)]*, ([\d.]+)\)", html)]
    assert strengths[0] > strengths[1] > 0


def test_the_number_is_shown_on_hover():
    html = highlighted("Table", [word("Table", "Table", 2, -0.5)], 2)
    assert 'title="+1.50: the words themselves +2.00, their meaning −0.50"' in html


def test_nothing_of_the_text_is_lost_or_run():
    text = "a <script>alert(\"1\")</script> & <b onclick='x'>Table</b>\nfin"
    html = highlighted(text, [word(text, "Table", 1), word(text, "script", -1)], 1)
    assert visible(html) == text
    assert set(re.findall(r"<(/?\w+)", html)) == {"div", "mark", "sup", "/sup", "/mark", "/div"}


def test_a_marked_word_that_holds_markup_is_escaped():
    text = "caf&eacute; noir"
    html = highlighted(text, [WordContribution("designation", 0, 11, "cafe", 1, 0)], 1)
    assert "caf&amp;eacute;<sup>" in html


def test_two_words_in_one_character_become_one_mark():
    words = [WordContribution("designation", 2, 3, part, 1, 0) for part in ("1", "2")]
    html = highlighted("a ½ b", words, 2)
    assert visible(html) == "a ½ b"
    assert html.count("<mark") == 1
    assert "+2.00" in html


def test_strength_is_the_largest_weight_of_either_sign():
    assert strength([]) == 0
    assert strength([word("a b", "a", 1), word("a b", "b", -4, 1)]) == 3


def test_no_mark_turns_the_direction_of_the_text():
    assert highlighted("a\u202eb\u2066c", [], 1.0) == '<div class="words">abc</div>'


def test_no_more_is_shown_than_is_read():
    shown = highlighted("x" * 1_000_000, [], 1.0)
    assert len(shown) < 4_100 and shown.endswith("…</div>")
