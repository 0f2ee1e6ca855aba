"""A plain labelled table, and pictures that may only lie below its folder."""

import os
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.taxonomy import Category, Taxonomy, default_taxonomy
from model.training.data import DataError, read_labelled, read_unlabelled
from model.training.data.pictures import OutsideError, PictureFolders
from tests.model.made_up import made_up, write_rows, write_table

TWO = Taxonomy((Category(-7, "a", "a", 1, ""), Category(5, "b", "b", 1, "")))


def read(path, taxonomy=TWO, **options):
    return read_labelled(path, taxonomy, **options)


def refusal(path, **options) -> DataError:
    with pytest.raises(DataError) as caught:
        read(path, **options)
    return caught.value


def table(folder, *rows, header=("designation", "image", "category")):
    folder.mkdir(exist_ok=True)
    write_rows(folder / "t.csv", [header, *rows])
    return folder / "t.csv"


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"jpeg")
    return str(path)


def test_what_is_written_is_read(tmp_path):
    write_table(tmp_path / "t.csv", rows=60, codes=TWO.codes, seed=1, pictures=0.5)
    data = read(tmp_path / "t.csv")
    listings = made_up(60, TWO.codes, seed=1, pictures=0.5)
    assert data.source == "table"
    assert [row.id for row in data.examples] == [f"R{i}" for i in range(60)]
    for row, listing in zip(data.examples, listings, strict=True):
        assert (row.code, row.designation, row.description) == (listing.code, listing.designation, listing.description)
        assert (row.picture is None) == (listing.picture is None)
        if row.picture:
            with open(row.picture, "rb") as file:
                assert file.read() == listing.picture
    rows = read_unlabelled(tmp_path / "t.csv")
    assert [(row.id, row.picture) for row in rows] == [(row.id, row.picture) for row in data.examples]


@pytest.mark.parametrize("kind", ["csv-excel", "tsv", "xlsx", "parquet"])
def test_every_kind_of_table(tmp_path, kind):
    frame = pd.DataFrame({"Titre": ["Été", "Sac", "Pas bon"], "Catégorie": [-7, 5, 6]})
    path = tmp_path / f"t.{kind}"
    if kind == "csv-excel":
        frame.to_csv(path, sep=";", encoding="cp1252", index=False)
    elif kind == "tsv":
        frame.to_csv(path, sep="\t", index=False)
    elif kind == "xlsx":
        frame.to_excel(path, index=False)
    else:
        frame.to_parquet(path)
    data = read(path, leave_out_bad_rows=True)
    assert [(row.id, row.code, row.designation) for row in data.examples] == [("1", -7, "Été"), ("2", 5, "Sac")]
    unit = "line" if kind in {"csv-excel", "tsv"} else "row"
    (problem,) = refusal(path).problems
    assert problem.reason == "label_unknown"
    assert f"at {unit} {problem.details['rows'][0][0]} (id 3); found “6”" in str(problem)


def test_pictures_beside_the_table_and_in_images(tmp_path):
    beside, below, inside = (put(tmp_path / name) for name in ("a.jpg", "photos/b.jpg", "images/c.jpg"))
    rows = [["1", "a.jpg", 5], ["2", r"photos\b.jpg", 5], ["3", "c.jpg", 5], ["4", "d.jpg", 5], ["5", "", 5]]
    rows += [["6", below, 5], ["7", "photos/../a.jpg", 5]]
    data = read(table(tmp_path, *rows))
    assert [row.picture for row in data.examples] == [beside, below, inside, None, None, below, beside]
    assert data.notices == {"no_description": 7, "no_picture": 2}


def test_pictures_by_the_official_ids(tmp_path):
    path = put(tmp_path / "images" / "image_train" / "image_9_product_8.jpg")
    rows = [["a", "9", "8", 5], ["b", "9", "7", 5], ["c", "", "8", 5], ["d", "../9", "8", 5]]
    source = table(tmp_path, *rows, header=("designation", "imageid", "productid", "category"))
    assert [row.picture for row in read(source, leave_out_bad_rows=True).examples] == [path, None, None]
    (problem,) = refusal(source).problems
    assert (problem.reason, problem.details["rows"]) == ("picture_id", ((5, "4"),))


@pytest.mark.parametrize(
    "name",
    [
        "../secret.jpg",
        "a/../../secret.jpg",
        "/etc/passwd",
        "..",
        ".",
        "link.jpg",
        "linked/secret.jpg",
        "..\\secret.jpg",
    ],
)
def test_no_path_escapes(tmp_path, name):
    put(tmp_path / "secret.jpg")
    folder = tmp_path / "data"
    source = table(folder, ["a", name, 5], ["b", "", 5])
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "linked").symlink_to(tmp_path)
    (problem,) = refusal(source).problems
    assert (problem.reason, problem.details["rows"]) == ("picture_outside", ((2, "1"),))
    assert "pictures that lie outside the folder of t.csv" in str(problem)
    data = read(source, leave_out_bad_rows=True)
    assert [row.picture for row in data.examples] == [None] and data.notices["bad_rows"] == 1
    with pytest.raises(DataError, match="every row is due an answer"):
        read_unlabelled(source)


def test_a_folder_of_pictures_elsewhere_is_named(tmp_path):
    path = put(tmp_path / "pictures" / "a.jpg")
    source = table(tmp_path / "data", ["a", "a.jpg", 5], ["b", "../pictures/a.jpg", 5])
    assert refusal(source).problems[0].reason == "picture_outside"
    assert [row.picture for row in read(source, images=tmp_path / "pictures").examples] == [path, path]
    assert refusal(source, images=tmp_path / "none").problems[0].reason == "images_missing"


@pytest.mark.parametrize("name", ["x" * 5_000, "x/" * 3_000, "http://shop/a.jpg", "t.parquet/a.jpg", "\x1b[2J", "a\0"])
def test_names_of_no_picture_are_missing_ones(tmp_path, name):
    put(tmp_path / "a.jpg")
    frame = pd.DataFrame({"designation": ["a", "b"], "image": [name, "a.jpg"], "category": [5, 5]})
    frame.to_parquet(tmp_path / "t.parquet")
    assert read(tmp_path / "t.parquet").notices == {"no_description": 2, "no_picture": 1}


@given(st.text(st.sampled_from("./\\ab~\0 é"), max_size=12))
@example("images/../../a")
@example("../data/a")
def test_whatever_is_found_lies_below(tmp_path_factory, name):
    base = tmp_path_factory.getbasetemp() / "tree"
    for place in ("a", "b", "data/a", "data/b/a", "data/images/a", "data/images/b/b"):
        put(base / place)
    folders = PictureFolders(base / "data", base / "data" / "images")
    try:
        found = folders.find(name)
    except OutsideError:
        return
    if found is not None:
        assert os.path.realpath(found) == found
        assert found.startswith(f"{base.resolve() / 'data'}{os.sep}") and os.path.isfile(found)


def test_a_folder_that_cannot_be_read_is_said_so(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (problem,) = refusal(table(tmp_path, ["a", "loop/a.jpg", 5], ["b", "loop/b.jpg", 5])).problems
    assert (problem.reason, problem.details["file"]) == ("unreadable", str(tmp_path / "loop"))


def test_columns_and_ids(tmp_path):
    path = table(tmp_path, ["a", "x.jpg"], header=("name of it", "image"))
    assert [str(problem) for problem in refusal(path).problems] == [
        "t.csv has no column for designation or description, the category code; it has name of it, image: add what is "
        "missing, or correct the header."
    ]
    path = table(tmp_path, ["1", "a", 5], ["", "b", 5], ["1", "c", 5], ["4", "d", 5], header=("sku", "body", "label"))
    (problem,) = refusal(path).problems
    assert (problem.reason, problem.details["rows"]) == ("duplicate_id", ((2, "1"), (4, "1")))
    data = read(path, leave_out_bad_rows=True)
    assert [(row.id, row.designation, row.description) for row in data.examples] == [("row 2", "", "b"), ("4", "", "d")]


def test_several_problems_at_once(tmp_path):
    path = table(tmp_path, ["a", "../x", "y"], ["b", "", 8], ["c", "", ""])
    assert [(p.reason, p.details["count"]) for p in refusal(path).problems] == [
        ("label_no_number", 2),
        ("picture_outside", 1),
        ("label_unknown", 1),
    ]
    assert "found “y”, empty" in str(refusal(path))


def test_a_file_that_is_no_table(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"%PDF-1.7")
    (problem,) = refusal(tmp_path / "t.csv").problems
    assert str(problem).startswith("t.csv: The file is PDF, not a table")


def test_the_number_of_classes_is_the_taxonomys(tmp_path):
    default = default_taxonomy()
    some = replace(default, categories=default.categories[:2])
    write_table(tmp_path / "t.csv", rows=9, codes=default.codes[:3], pictures=0)
    assert {row.code for row in read(tmp_path / "t.csv", default).examples} == set(default.codes[:3])
    (problem,) = refusal(tmp_path / "t.csv", taxonomy=some).problems
    assert (problem.reason, problem.details["values"]) == ("label_unknown", f"“{default.codes[2]}”")
