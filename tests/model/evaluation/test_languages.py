"""The language of a listing."""

import pytest

from model.evaluation.languages import LANGUAGE_BY, LANGUAGES, UNKNOWN, language_of
from model.reading import read_text
from model.training.corpus import read_corpus


def told(designation: str, description: str = "") -> str:
    return language_of(read_text(designation, description), designation, description)


@pytest.mark.parametrize(
    ("language", "designation"),
    [
        ("fr", "Housse de coussin en velours pour canapé d'angle, 45 x 45 cm"),
        ("en", "The best cushion cover for your new sofa and the whole family"),
        ("de", "Kissenbezug aus Samt für das Sofa im Wohnzimmer, mit Reißverschluss"),
        ("it", "Fodera per cuscino in velluto per il divano del soggiorno"),
        ("es", "Funda de cojín de terciopelo para el sofá de la habitación"),
        ("nl", "Kussenhoes van fluweel voor de bank in uw woonkamer"),
    ],
)
def test_languages(language, designation):
    assert told(designation) == language


@pytest.mark.parametrize("texts", [("", ""), ("Canapé rouge", ""), ("12 34 56 78", ""), ("<p class='a b c'></p>", "")])
def test_too_short_to_tell(texts):
    assert told(*texts) == UNKNOWN


def test_names_do_not_tell():
    assert told("Naruto Kakashi Funko") == UNKNOWN


def test_markup_is_no_text():
    description = (
        '<div class="the best product with all of this"><p style="font: the one and only">Id&eacute;al pour la '
        "chambre de votre b&eacute;b&eacute;</p></div>"
    )
    assert told("", description) == "fr"
    assert told("Veilleuse", description) == "fr"


def test_on_the_open_corpus():
    rows = [row for row in read_corpus()[::60] if row.language in LANGUAGES]
    pairs = [(told(row.designation, row.description), row.language) for row in rows]
    certain = [pair for pair in pairs if pair[0] != UNKNOWN]
    assert len(certain) > 0.65 * len(pairs)
    assert sum(found == language for found, language in certain) > 0.93 * len(certain)


def test_it_says_what_tells():
    assert LANGUAGE_BY.startswith("py3langid ")
