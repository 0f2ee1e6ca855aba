"""Every hostile table ends in the error it deserves, with its line, or in the rows it holds."""

import pickle
import re

import pytest

from preprocessing.table import TableError, TableFormat, detect, open_table
from tests.hostile import binary_tables, tables

CASES = tables.CASES + binary_tables.CASES


def opened(path, case):
    return open_table(path, case.using or detect(path, case.file))


def each(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.id)


@pytest.fixture
def path(tmp_path, case):
    path = tmp_path / "upload"
    path.write_bytes(case.make())
    return path


@each([case for case in CASES if case.reason])
def test_what_cannot_be_read_is_refused_with_its_reason(path, case):
    with pytest.raises(TableError) as caught:
        for row in opened(path, case):
            assert all(isinstance(cell, str) for cell in row)
    error = caught.value
    assert error.reason == case.reason, error
    assert {name: error.details.get(name) for name in case.details} == case.details
    assert not re.search(r"[{}]", str(error)) and str(error).endswith(".")
    assert "line" not in error.details or str(error.details["line"]) in str(error) or "olumns" in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@each([case for case in CASES if case.rows])
def test_what_can_be_read_is_read_whole(path, case):
    reader = opened(path, case)
    assert [list(reader.columns), *reader] == case.rows
    assert {notice.reason: notice.details["line"] for notice in reader.notices} == case.told
    assert all(re.search(r"\d", str(notice)) for notice in reader.notices)


def test_there_are_many_cases_and_no_two_alike():
    assert len({case.id for case in CASES}) == len(CASES) >= 100


def test_the_formats_asked_for_are_those_offered():
    assert {case.using.kind for case in CASES if case.using} == {"text", "xlsx"}
    assert TableFormat("text", "utf-8", None) != TableFormat("text", "utf-8", ",")
