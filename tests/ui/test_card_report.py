import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.taxonomy import default_taxonomy
from tests.ui.card_samples import made_report, nothing
from ui.card.report import SCHEMA, amount, read_report, whole

REPORT = made_report(default_taxonomy())
EVERYTHING = json.loads(json.dumps(REPORT))


def test_every_number_is_read():
    report = read_report(EVERYTHING)
    assert report.readable
    assert report.overall.rows == REPORT["overall"]["rows"]
    for name, value in report.overall.values.items():
        assert value == REPORT["overall"][name]
    assert len(report.overall.values) == 6
    assert report.overall.intervals["accuracy"] == tuple(REPORT["overall"]["accuracy_interval"])
    assert list(report.by_inputs) == ["text", "image", "both"]
    assert [(length.start, length.end) for length in report.by_length] == [(0, 5), (151, None)]
    assert [one.code for one in report.categories] == list(default_taxonomy().codes)
    assert report.confusion.counts.tolist() == REPORT["confusion"]["counts"]
    assert sum(one.rows for one in report.reliability) == REPORT["overall"]["rows"]
    assert [round(level.threshold, 2) for level in report.coverage] == [i / 100 for i in range(100)]
    assert report.sets.stated == 0.9 and report.branches == REPORT["branches"]


@pytest.mark.parametrize("raw", [None, {}, [], "metrics", 3, {"schema": 1}, {"schema": None}, {"schema": "2"}])
def test_another_form_gives_an_empty_report(raw):
    if isinstance(raw, dict) and raw:
        raw = EVERYTHING | raw
    assert not read_report(raw).readable
    assert read_report(raw) == read_report(None)


def test_nulls_everywhere_are_no_numbers():
    report = read_report(nothing(EVERYTHING) | {"schema": SCHEMA})
    assert report.readable
    assert not report.overall.values and not report.overall.intervals and report.overall.rows is None
    assert not report.categories and not report.reliability and not report.coverage and report.confusion is None
    assert set(report.branches.values()) == {None} and not report.sets.sizes


@pytest.mark.parametrize(
    "confusion",
    [
        {"codes": [10, 40], "counts": [[1, 2]]},
        {"codes": [10, 40], "counts": [[1, 2], [3]]},
        {"codes": [10, 40], "counts": [[1, None], [3, 4]]},
        {"codes": [10, "40"], "counts": [[1, 2], [3, 4]]},
        {"codes": [], "counts": []},
    ],
)
def test_counts_that_are_no_square_are_no_map(confusion):
    assert read_report(EVERYTHING | {"confusion": confusion}).confusion is None


@pytest.mark.parametrize("value", [True, "0.5", None, float("nan"), float("inf"), [0.5], {}])
def test_what_is_no_number_is_none(value):
    assert amount(value) is None and whole(value) is None


def test_a_share_is_no_number_of_things():
    assert whole(0.5) is None and whole(-1) is None and whole(3.0) == 3


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(EVERYTHING)), ANYTHING), st.sampled_from(["overall", "sets", "coverage"]))
@example({"by_length": [{"from": None, "to": -3, "scores": []}], "categories": [{"code": 1.5}]}, "overall")
@example({"by_length": [{"from": 10**400}]}, "overall")
@example({"confusion": {"codes": [10**30], "counts": [[10**30]]}}, "overall")
def test_nothing_that_json_can_hold_is_too_much(parts, left_out):
    raw = {name: value for name, value in EVERYTHING.items() if name != left_out} | parts
    read_report(raw | {"schema": SCHEMA})
