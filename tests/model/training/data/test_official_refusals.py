"""Everything that is wrong with the challenge's files is said at once: what, where and what to do."""

import pickle

import pytest

from model.training.data import DataError, read_unlabelled
from tests.model.made_up import write_rows
from tests.model.training.data.official_samples import HEADER, LABELS, ROWS, TEST, X, Y, read, write


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    return tmp_path


def refusal(folder, **options) -> DataError:
    with pytest.raises(DataError) as caught:
        read(folder, **options)
    return caught.value


def only(error: DataError) -> tuple[str, dict]:
    (problem,) = error.problems
    return problem.reason, problem.details


def test_line_ends_quotes_and_commas_inside_a_cell(folder):
    description = '<p class="x">Un "grand" sac,\nnoir</p>\r\n<br/>,,'
    write(folder, [[0, "Sac", description, 1, 1], [1, "sans numéro", "", 2, "x"]], LABELS[:2])
    error = refusal(folder)
    assert only(error)[1]["rows"] == ((5, "1"),)  # the line of the file, which the cell above has moved
    assert read(folder, leave_out_bad_rows=True).examples[0].description == description


def test_no_such_folder(tmp_path):
    reason, details = only(refusal(tmp_path / "none"))
    assert reason == "not_found" and details == {"place": tmp_path / "none"}


def test_a_folder_of_something_else_names_both_ways(tmp_path):
    (tmp_path / "produits.csv").write_text("designation,code\nSac,10\n")
    assert str(refusal(tmp_path)) == (
        f"{tmp_path} cannot be used:\n"
        "- The folder holds neither X_train_update.csv nor Y_train_CVw08PX.csv (it holds produits.csv). Name the "
        "folder that holds both, as the challenge delivers them, or name one table (CSV, TSV, XLSX or Parquet) with "
        "the texts and their category codes."
    )
    (tmp_path / "produits.csv").unlink()
    assert "(it holds nothing)" in str(refusal(tmp_path))


def test_a_missing_file_is_named_beside_what_is_there(folder):
    (folder / Y).rename(folder / "Y_train.csv")
    error = refusal(folder)
    assert (error.reason, *only(error)) == ("files", "file_missing", {"file": Y, "held": f"{X}, Y_train.csv"})
    write_rows(folder / TEST, [HEADER, *ROWS])
    (folder / X).unlink()
    assert [problem.details["file"] for problem in refusal(folder).problems] == [X, Y]


def test_a_missing_column_is_named_beside_what_is_there(folder):
    write(folder, header=["", "designation", "blurb", "productid", "picture number"])
    assert only(refusal(folder)) == (
        "column_missing",
        {
            "file": X,
            "missing": "description, imageid",
            "found": "one without name, designation, blurb, productid, picture number",
        },
    )
    write_rows(folder / X, [HEADER[1:], *(row[1:] for row in ROWS)])
    assert only(refusal(folder))[1]["missing"] == "the row's id (the first column, which has no name)"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda data: data.replace("é".encode(), b"\xe9"), "Line 2: the byte E9 cannot be read as utf-8"),
        (lambda data: data.replace(b"chat", b"c\0at"), "Line 4 holds a NUL character"),
        (lambda data: data.replace(b"chat", b"c" * 10_000_000), "Line 4 has a cell of more than 1000000 characters"),
        (lambda data: data.replace(b"chat", b"chat,x"), "Line 4 has 6 cells where the header has 5"),
        (lambda data: data.replace(b"Croq", b'"Croq'), "The quotation mark that opens a cell on line 4 is not closed"),
        (lambda data: b"", "The file is empty (0 bytes)"),
        (lambda data: data.splitlines()[0], "Line 1 is a header, and no row stands below it"),
        (lambda data: b"\x1f\x8b" + data, "The file is gzip, not a table"),
    ],
    ids=["latin-1", "NUL", "10 MB", "comma", "quote", "empty", "header", "gzip"],
)
def test_a_file_that_is_no_table_is_named_with_its_line(folder, damage, sentence):
    (folder / X).write_bytes(damage((folder / X).read_bytes()))
    for leave_out in (False, True):
        error = refusal(folder, leave_out_bad_rows=leave_out)
        assert only(error)[0] == "table" and error.reason == "files"
        assert f"- {X}: {sentence}" in str(error)


ROW_PROBLEMS = {
    "duplicate in X": ([*ROWS, ROWS[1]], LABELS, "duplicate_id", X, ((3, "1"), (5, "1")), ["0", "2"], 2),
    "duplicate in Y": (ROWS, [*LABELS, LABELS[0]], "duplicate_id", Y, ((2, "0"), (5, "0")), ["1", "2"], 1),
    "no label": (ROWS, LABELS[:2], "no_label", X, ((4, "2"),), ["0", "1"], 1),
    "no row": (ROWS[1:], LABELS, "no_row", Y, ((2, "0"),), ["1", "2"], 1),
    "no number": (ROWS, [[0, "2583.0"], *LABELS[1:]], "label_no_number", Y, ((2, "0"),), ["1", "2"], 1),
    "empty label": (ROWS, [[0, ""], *LABELS[1:]], "label_no_number", Y, ((2, "0"),), ["1", "2"], 1),
    "outside": (ROWS, [[0, 9999], *LABELS[1:]], "label_unknown", Y, ((2, "0"),), ["1", "2"], 1),
    "path as id": ([[0, "Sac", "", 1, "../../x"], *ROWS[1:]], LABELS, "picture_id", X, ((2, "0"),), ["1", "2"], 1),
    "empty id": ([[0, "Sac", "", "", 1], *ROWS[1:]], LABELS, "picture_id", X, ((2, "0"),), ["1", "2"], 1),
}


@pytest.mark.parametrize(
    ("rows", "labels", "reason", "file", "at", "left", "out"), ROW_PROBLEMS.values(), ids=ROW_PROBLEMS
)
def test_a_bad_row_is_refused_or_left_out(folder, rows, labels, reason, file, at, left, out):
    write(folder, rows, labels)
    error = refusal(folder)
    found, details = only(error)
    assert (error.reason, found, details["file"], details["rows"]) == ("rows", reason, file, at)
    assert details["count"] == len(at)
    assert str(error).endswith("add --leave-out-bad-rows: it trains without them.")
    data = read(folder, leave_out_bad_rows=True)
    assert [row.id for row in data.examples] == left
    assert data.notices["bad_rows"] == out


def test_all_problems_at_once_word_for_word(folder):
    rows = [*ROWS, [2, "Deux fois", "", 104, 204], [3, "Sans étiquette", "", "10x", 205]]
    rows += [[i, "Sac", "", i, i] for i in range(10, 18)]
    labels = [LABELS[0], [1, "1560.5"], [2, 2220], [9, 10], *([i, 5] for i in range(10, 17)), [17, "6\x1b[2J"]]
    write(folder, rows, labels)
    error = refusal(folder)
    assert str(error) == (
        f"{folder} has rows that cannot be used:\n"
        f"- {X}: rows that share their id with another: 2, at line 4 (id 2), line 5 (id 2). Give each row its own id.\n"
        f"- {X}: rows whose imageid or productid is no number: 1, at line 6 (id 3); found “10x”. Correct them: the "
        "picture's name is made of both.\n"
        f"- {Y}: labels that are no number: 2, at line 3 (id 1), line 13 (id 17); found “1560.5”, “6\\x1b[2J”. Write "
        "the category's code.\n"
        f"- {Y}: labels outside the taxonomy: 7, at line 6 (id 10), line 7 (id 11), line 8 (id 12), line 9 (id 13), "
        "line 10 (id 14), …; found “5”. Correct them, or train with a taxonomy that has them.\n"
        f"- {X}: rows whose id has no label in {Y}: 1, at line 6 (id 3). Add the labels or delete the rows.\n"
        f"- {Y}: labels whose id has no row in {X}: 1, at line 5 (id 9). Add the rows or delete the labels.\n"
        "Correct them, or add --leave-out-bad-rows: it trains without them."
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    data = read(folder, leave_out_bad_rows=True)
    assert [row.id for row in data.examples] == ["0"]
    assert data.notices["bad_rows"] == len(rows) - 1 + 1


def test_problems_of_files_and_rows_stand_together(folder):
    write(folder, [*ROWS, ROWS[0]])
    (folder / Y).unlink()
    error = refusal(folder, leave_out_bad_rows=True)
    assert error.reason == "files_and_rows"
    assert [problem.reason for problem in error.problems] == ["file_missing", "duplicate_id"]
    assert str(error).endswith("Once the files are right, --leave-out-bad-rows trains without the rows named here.")


def test_nothing_left(folder):
    write(folder, labels=[[i, 9999] for i in range(3)])
    error = refusal(folder, leave_out_bad_rows=True)
    assert [problem.reason for problem in error.problems] == ["nothing_left", "label_unknown"]


def test_a_place_for_pictures_that_is_not_there(folder):
    assert only(refusal(folder, images=folder / "none")) == ("images_missing", {"folder": folder / "none"})


def test_a_row_to_answer_cannot_be_left_out(folder):
    write_rows(folder / TEST, [HEADER, [7, "Sac", "", 1, 1], [7, "Sac", "", 2, "x"]])
    with pytest.raises(DataError) as caught:
        read_unlabelled(folder)
    assert [problem.reason for problem in caught.value.problems] == ["duplicate_id", "picture_id"]
    assert str(caught.value).endswith("Correct them: every row is due an answer.")
    (folder / TEST).unlink()
    with pytest.raises(DataError, match=rf"{TEST} is missing") as caught:
        read_unlabelled(folder)
