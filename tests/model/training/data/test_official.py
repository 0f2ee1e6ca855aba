"""The challenge's layout, read as delivered."""

import csv
import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.training.data import read_unlabelled
from model.training.data.examples import text_of
from preprocessing.table import unescape
from preprocessing.text import tokenize
from tests.model.made_up import made_up, write_official, write_rows
from tests.model.training.data.official_samples import HEADER, LABELS, ROWS, X, Y, read, write

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    return tmp_path


def test_what_is_written_is_read(tmp_path):
    write_official(tmp_path, rows=120, seed=3, pictures=0.5, test_rows=10)
    listings = made_up(120, seed=3, pictures=0.5)
    data = read(tmp_path)
    assert data.source == "official"
    assert [row.id for row in data.examples] == [str(i) for i in range(120)]
    for row, listing in zip(data.examples, listings, strict=True):
        assert (row.code, row.designation, row.description) == (listing.code, listing.designation, listing.description)
        if listing.picture is None:
            assert row.picture is None
        else:
            assert row.picture == str(tmp_path / "images" / "image_train" / listing.picture_name)
            with open(row.picture, "rb") as file:
                assert file.read() == listing.picture
    assert data.notices == {
        "no_description": sum(not row.description for row in listings),
        "no_picture": sum(row.picture is None for row in listings),
    }
    assert all(data.notices.values())
    rows = read_unlabelled(tmp_path)
    assert [row.id for row in rows] == [str(120 + i) for i in range(10)]
    assert {os.path.dirname(row.picture) for row in rows if row.picture} == {str(tmp_path / "images" / "image_test")}


def test_texts_alone_are_enough_and_then_no_picture_is_missing(tmp_path):
    write_official(tmp_path, rows=40, pictures=0, test_rows=0)
    data = read(tmp_path)
    assert len(data.examples) == 40 and not any(row.picture for row in data.examples)
    assert set(data.notices) == {"no_description"}


def test_a_description_that_says_nothing_is_none(folder):
    data = read(folder)
    assert [row.description for row in data.examples] == ["<p>Débit : 6&nbsp;m3</p>", "", ""]
    assert data.notices == {"no_description": 2}


def test_a_nan_inside_a_text_stays(folder):
    write(folder, [[0, "Nan", "pain nan", 1, 1], [1, "nan", "NaN", 2, 2]], LABELS[:2])
    data = read(folder)
    assert [(row.designation, row.description) for row in data.examples] == [("Nan", "pain nan")]
    assert data.notices == {"nothing_to_read": 1}


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6))
@example([("'=1+1", 'a"\r\n"b'), ("\ufeffa", "''")])
@example([("", "NaN")])
def test_any_text_is_read_as_written(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("texts")
    with (folder / X).open("w", encoding="utf-8", newline="") as file:
        rows = [[i, first, second, i, i] for i, (first, second) in enumerate(texts)]
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([HEADER, *rows, [99, "mot", "", 9, 9]])
    write_rows(folder / Y, [["", "prdtypecode"], *([i, 10] for i in (*range(len(texts)), 99))])
    found = {row.id: (row.designation, row.description) for row in read(folder).examples}
    for number, (first, second) in enumerate(texts):
        read_as = text_of(unescape(first)), text_of(unescape(second))  # an apostrophe that disarms a formula goes
        assert found.get(str(number), read_as) == read_as
        assert str(number) in found or not tokenize(read_as[0]) + tokenize(read_as[1])


def test_markup_alone_is_nothing_to_read(folder):
    write(folder, [[0, "<br>", "&nbsp;", 1, 1], [1, "<b>4", "", 2, 2], [2, "", "mot", 3, 3]])
    data = read(folder)
    assert [row.id for row in data.examples] == ["1", "2"]
    assert data.notices == {"nothing_to_read": 1, "no_description": 1}


def test_a_picture_is_something_to_read(folder):
    write(folder, [[0, "", "", 101, 201], [1, "", "", 102, 202], [2, "mot", "", 103, 203]])
    pictures = folder / "images" / "image_train"
    pictures.mkdir(parents=True)
    (pictures / "image_201_product_101.jpg").write_bytes(b"jpeg")
    data = read(folder)
    assert [(row.id, row.picture and os.path.basename(row.picture)) for row in data.examples] == [
        ("0", "image_201_product_101.jpg"),
        ("2", None),
    ]
    assert data.notices == {"nothing_to_read": 1, "no_description": 2, "no_text": 1, "no_picture": 1}


@pytest.mark.parametrize("place", ["images", "elsewhere", "elsewhere/image_train"])
def test_pictures_may_lie_right_in_images_or_elsewhere(folder, place):
    (folder / place).mkdir(parents=True)
    picture = folder / place / "image_202_product_102.jpg"
    picture.write_bytes(b"jpeg")
    images = folder / "elsewhere" if place.startswith("elsewhere") else None
    assert [row.picture for row in read(folder, images=images).examples] == [None, str(picture), None]


def test_pictures_still_packed_are_told(folder):
    (folder / "images.zip").write_bytes(b"PK")
    assert read(folder).notices["pictures_not_unpacked"] == 1
    (folder / "images").mkdir()
    (folder / "images" / "image_202_product_102.jpg").write_bytes(b"jpeg")
    assert "pictures_not_unpacked" not in read(folder).notices


def test_the_index_joins_not_the_place(folder):
    write(folder, ROWS, [LABELS[2], LABELS[0], LABELS[1]])
    assert [(row.id, row.code) for row in read(folder).examples] == [("0", 2583), ("1", 1560), ("2", 2220)]


def test_a_byte_order_mark_and_windows_line_ends(folder):
    for name in (X, Y):
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    data = read(folder)
    assert [(row.id, row.code) for row in data.examples] == [("0", 2583), ("1", 1560), ("2", 2220)]
    assert data.examples[1].designation == "Canapé d'angle"


def test_contradicting_labels_are_counted(folder):
    rows = [[i, "Sac", "noir", i, i] for i in range(4)] + [[4, "Sac", "", 4, 4], [5, "Sac", "", 5, 5]]
    write(folder, rows, [[0, 10], [1, 10], [2, 40], [3, 10], [4, 10], [5, 10]])
    data = read(folder)
    assert len(data.examples) == 6 and data.notices == {"no_description": 2, "contradicting": 4}
