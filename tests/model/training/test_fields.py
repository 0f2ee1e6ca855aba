"""Designation and description as fields of their own: what each says is learned apart, and told apart."""

from pathlib import Path

import numpy as np
import pytest

from model.lexical import TEXT_ID, LexicalVocabulary
from model.lexical_input import LexicalInput
from model.reading import read_text
from model.training.fields import FieldsBranch
from model.training.stages import Stages
from model.training.texts import Texts

NOUNS = ("table basse", "chat croquettes", "piscine pompe")


def texts(rows: list[tuple[str, str]]) -> Texts:
    words = [[part.split() for part in row] for row in rows]
    empty = [np.zeros(0, np.int32)] * len(rows)
    return Texts([a for a, _ in words], [b for _, b in words], empty, empty)


def branch(rows: list[tuple[str, str]], targets: list[int], folder: Path, company: Texts | None = None) -> FieldsBranch:
    nothing = np.zeros(len(company) if company else 0, np.int64)
    return FieldsBranch(texts(rows), np.array(targets), company or texts([]), nothing, 3, 1.0, 0, Stages(folder))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> tuple[FieldsBranch, np.ndarray]:
    # "neuf" says nothing in a title, and category 2 in a description.
    rows = [
        (f"{noun} neuf" if i % 2 else noun, "article neuf" if target == 2 else "article ancien")
        for i in range(30)
        for target, noun in enumerate(NOUNS)
    ]
    found = branch(rows, [i % 3 for i in range(90)], tmp_path_factory.mktemp("stages"))
    return found, found.table("lexical", np.ones(90, bool), 0.0)


def answer(fit: tuple[FieldsBranch, np.ndarray], designation: str, description: str | None = None) -> np.ndarray:
    ids, weights = fit[0].input.encode(read_text(designation, description))
    return weights @ fit[1][ids]


def test_a_word_means_what_it_means_in_its_field(fitted) -> None:
    plain = answer(fitted, "objet")
    in_title, in_description = answer(fitted, "objet neuf"), answer(fitted, "objet", "neuf")
    assert in_description[2] - plain[2] > 0.03
    assert in_description[2] - plain[2] > 4 * abs(in_title[2] - plain[2])


def test_a_title_alone_is_known(fitted) -> None:
    assert [int(answer(fitted, noun).argmax()) for noun in NOUNS] == [0, 1, 2]


def test_terms_are_centred_and_those_of_the_classifier(fitted) -> None:
    found, table = fitted
    assert table.sum(axis=1) == pytest.approx(np.zeros(len(table)), abs=1e-5)
    rows = np.zeros(90, bool)
    rows[[3, 40]] = True
    by_matrix = found.terms(table, rows)
    for row, place in zip(by_matrix, (3, 40), strict=True):
        title, description = (" ".join(part[place]) for part in (found.texts.designations, found.texts.descriptions))
        assert answer(fitted, title, description) == pytest.approx(row, abs=1e-5)


def test_a_table_is_kept(fitted, tmp_path: Path) -> None:
    found, table = fitted
    again = branch([("autre chose", "")] * 3, [0, 1, 2], found.stages.folder)
    assert np.array_equal(again.table("lexical", np.ones(3, bool), 0.0), table)


def test_company_counts_as_much_as_it_is_told(tmp_path: Path) -> None:
    rows = [(noun, "") for noun in NOUNS for _ in range(4)]
    company = texts([("lampadaire halogene", "")] * 5)
    found = branch(rows, [0] * 4 + [1] * 4 + [2] * 4, tmp_path, company)
    everything = np.ones(12, bool)
    tables = [found.table(f"t{weight}", everything, weight) for weight in (0.0, 0.1, 1.0)]
    said = [answer((found, table), "lampadaire")[0] for table in tables]
    assert said[0] < said[1] < said[2]


def test_a_category_without_rows_is_never_answered(tmp_path: Path) -> None:
    found = branch([(noun, "") for noun in NOUNS[:2] for _ in range(4)], [0] * 4 + [1] * 4, tmp_path)
    table = found.table("lexical", np.ones(8, bool), 0.0)
    assert answer((found, table), "table")[2] == min(answer((found, table), "table"))
    assert np.isfinite(table).all()


def test_readings_lay_fields_side_by_side() -> None:
    titles = LexicalVocabulary.fit([["a", "b"], ["a", "b"]])
    descriptions = LexicalVocabulary.fit([["a"], ["a"]])
    both = LexicalInput(titles, descriptions)
    assert len(both) == len(titles) + len(descriptions)
    ids, _ = both.encode(read_text("b", "a"))
    in_title, in_description = ids[ids < len(titles)], ids[ids >= len(titles)] - len(titles)
    assert TEXT_ID in in_title and TEXT_ID in in_description
    only_description = both.readings(read_text(None, "a b"))
    assert [(r.first_row, r.first_token) for r in only_description] == [(len(titles), 0)]
    assert both.readings(read_text("", "!")) == []
    one = LexicalInput(titles)
    assert [(r.weight, len(r.tokens)) for r in one.readings(read_text("a b", "a"))] == [(0.5, 2), (0.5, 3)]
    ids, weights = one.encode(read_text("", ""))
    assert len(ids) == len(weights) == 0
