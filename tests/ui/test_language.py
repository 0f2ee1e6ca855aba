import pytest

from ui import language


@pytest.mark.parametrize(
    ("locale", "spoken"),
    [("fr-FR", "fr"), ("fr", "fr"), ("fr_CA", "fr"), ("en-GB", "en"), ("de-DE", "en"), (None, "fr"), ("", "fr")],
)
def test_the_browsers_locale_chooses_the_language(locale, spoken):
    assert language.of_locale(locale) == spoken


def test_numbers_are_written_as_in_french(french):
    assert language.number(1234.5, 1) == "1\u202f234,5"
    assert language.percent(0.615, 1) == "61,5\u202f%"
    assert language.signed(-0.5) == "−0,50"
    assert language.listed(["a", "b", "c"]) == "a, b et c"


def test_numbers_are_written_as_in_english(english):
    assert language.number(1234.5, 1) == "1,234.5"
    assert language.percent(0.615, 1) == "61.5%"
    assert language.signed(0.5) == "+0.50"
    assert language.listed(["a", "b", "c"]) == "a, b, and c"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "< 0.1%"), (0.0004, "< 0.1%"), (0.0006, "0.1%"), (0.5, "50.0%"), (0.9994, "99.9%"), (1.0, "> 99.9%")],
)
def test_a_probability_never_claims_certainty(english, value, text):
    assert language.probability(value).replace("\u202f", " ") == text


@pytest.mark.parametrize(("value", "text"), [(0.333, "33,3 points"), (0.9999, "> 99,9 points"), (0.01, "1,0 point")])
def test_a_lead_is_written_in_points(french, value, text):
    assert language.points(value).replace("\u202f", " ") == text
