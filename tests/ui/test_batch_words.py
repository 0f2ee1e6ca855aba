"""What the batch page says: every reason has a message, in both languages, and no name is markup."""

import re

import pytest

from batch.jobs import Problem
from batch.output import FORMATS, OutputError
from batch.picture_errors import PictureProblem, PictureSourceError
from model.taxonomy import default_taxonomy
from preprocessing import table_common
from preprocessing.columns import ROLES
from preprocessing.image import ImageError
from preprocessing.table import DELIMITERS, ENCODINGS, Notice, TableError
from ui.batch import messages, names
from ui.batch.choice import _labels
from ui.batch.downloads import OFFERS, file_name
from ui.style import literal

HOSTILE = "<script>alert(1)<b> [x](y) `a` **b** $c$ :smile:"
FAMILIES = {
    "table": (messages.TABLE, TableError.SENTENCES, TableError, messages.table_message),
    "notice": (messages.NOTICES, table_common._TOLD, Notice, messages.notice_message),
    "source": (messages.SOURCES, PictureSourceError.SENTENCES, PictureSourceError, messages.source_message),
    "output": (messages.OUTPUT, OutputError.SENTENCES, OutputError, messages.output_message),
}
REASONS = [(family, reason) for family, (_, sentences, *_) in FAMILIES.items() for reason in sentences]


def details(sentence: str, text: str = "value") -> dict[str, object]:
    """Something for each place of a sentence."""
    counted = r"line|end|count|limit\w*|found|expected|column|columns|first|second|row|length|megabytes|gigabytes"
    return {
        name: 1234 if re.fullmatch(counted, name) else text for name in re.findall(r"\{(\w+)(?:![rs])?\}", sentence)
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_every_reason_has_a_message_of_the_same_words(family):
    said, sentences, *_ = FAMILIES[family]
    plain = {reason: re.sub(r"\{(\w+)!r\}", r"“{\1}”", sentence) for reason, sentence in sentences.items()}
    assert said == plain


@pytest.mark.parametrize(("family", "reason"), REASONS)
def test_each_message_is_filled_in(spoken, family, reason):
    _, sentences, error, message = FAMILIES[family]
    given = details(sentences[reason])
    text = message(error(reason, given))
    assert not re.search(r"[{}]", text)
    if "line" in given:
        assert {"fr": "1\u202f234", "en": "1,234"}[spoken] in text


@pytest.mark.parametrize(("family", "reason"), REASONS)
def test_no_detail_is_markup(english, family, reason):
    _, sentences, error, message = FAMILIES[family]
    given = details(sentences[reason], HOSTILE)
    text = message(error(reason, given))
    places = re.findall(r"\{(\w+)", sentences[reason])
    assert text.count(literal(HOSTILE)) == sum(given[place] == HOSTILE for place in places)
    assert "script>" not in text.replace(literal(HOSTILE), "")


def test_the_servers_folders_are_not_told(french):
    error = PictureSourceError("no_pictures", {"place": "/srv/data/jobs/0123/pictures.zip"})
    assert "pictures\\.zip" in messages.source_message(error)
    assert "srv" not in messages.source_message(error)


def test_values_of_details_are_translated(french):
    error = TableError("wrong_delimiter", {"line": 1, "chosen": ",", "actual": "\t"})
    assert "tabulation" in messages.table_message(error)
    error = TableError("cell_too_long", {"unit": "Row", "line": 7, "limit": 1_000_000})
    assert messages.table_message(error).startswith("Ligne 7")


@pytest.mark.parametrize("kind", ["table", "pictures", "model", "changed", "crashed", "unexpected"])
def test_every_problem_of_a_job_is_worded(spoken, kind):
    assert messages.problem_message(Problem(kind, "English")) not in ("", "English")


def test_a_problem_with_its_reason_is_worded_by_it(french):
    problem = Problem("table", "English", "bad_bytes", {"line": 12, "byte": "FF", "encoding": "utf-8"})
    assert messages.problem_message(problem).startswith("Ligne 12")
    problem = Problem("pictures", "English", "not_a_zip", {"place": "/a/b.zip"})
    assert "ZIP" in messages.problem_message(problem)


def test_everything_has_a_name(spoken):
    assert set(names.ENCODINGS) >= set(ENCODINGS)
    assert set(names.DELIMITERS) == set(DELIMITERS)
    assert tuple(names.ROLE_NAMES) == ROLES
    assert set(names.FATES) == {"", "used"} | set(PictureProblem.SENTENCES) | set(ImageError.SENTENCES)
    assert [offer.format for offer in OFFERS] == list(FORMATS)
    assert names.delimiter_name(None) and names.column_name("") and names.column_name(None)


def test_a_category_the_model_does_not_know_is_its_code(english):
    assert names.category_name(default_taxonomy(), 10).startswith("10 · ")
    assert names.category_name(default_taxonomy(), 11) == "11"


def test_names_are_short_and_run_one_way(english):
    assert names.file_title("a\u202egpj.csv") == "agpj\\.csv"
    assert len(names.file_title("x" * 5000)) == names.LONGEST + 1
    assert names.column_name(" a\n\u2066b ") == "a b"
    assert len(names.column_name("x" * 1_000_000)) == names.LONGEST + 1


def test_no_two_labels_of_a_box_are_alike():
    assert _labels(["a", "b", "a", "a (2)", "a"]) == ["a", "b", "a (2)", "a (2) (2)", "a (3)"]


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("produits.csv", "produits-rayon.xlsx"),
        ("../../etc/passwd", "passwd-rayon.xlsx"),
        ("C:\\a\\liste été.v2.csv", "liste été.v2-rayon.xlsx"),
        ('<b>"x"</b>\n.csv', "b-rayon.xlsx"),
        ("a\x00b|c?.csv", "abc-rayon.xlsx"),
        ("...", "products-rayon.xlsx"),
        ("", "products-rayon.xlsx"),
        ("x" * 300 + ".csv", "x" * 100 + "-rayon.xlsx"),
        (".csv", "csv-rayon.xlsx"),
    ],
)
def test_a_file_is_taken_away_under_a_harmless_name(sent, taken):
    assert file_name(sent, ".xlsx") == taken
