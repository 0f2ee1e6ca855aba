"""Every hostile table ends in the error it deserves, with its line, or in the rows it holds."""

import pickle
import re

import pytest

from preprocessing import table_text
from preprocessing.table import TableError, detect, open_table
from preprocessing.table_common import _TOLD
from tests.hostile import binary_tables, tables

CASES = tables.CASES + binary_tables.CASES


def opened(path, case):
    return open_table(path, case.using or detect(path, case.file))


def each(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.id)


@pytest.fixture
def path(tmp_path, case):
    path = tmp_path / "upload"
    path.write_bytes(case.data() if callable(case.data) else case.data)
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


@each([case for case in tables.CASES if isinstance(case.data, bytes) and len(case.data) < 5000])
def test_where_a_block_of_bytes_ends_does_not_matter(path, monkeypatch, case):
    monkeypatch.setattr(table_text, "_BLOCK", 7)
    check = test_what_cannot_be_read_is_refused_with_its_reason if case.reason else test_what_can_be_read_is_read_whole
    check(path, case)


def test_every_reason_and_every_notice_has_its_cases():
    assert {case.reason for case in CASES if case.reason} == set(TableError.SENTENCES)
    assert {reason for case in CASES for reason in case.told} == set(_TOLD)


def test_there_are_many_cases_and_no_two_alike():
    assert len({case.id for case in CASES}) == len(CASES) >= 100
