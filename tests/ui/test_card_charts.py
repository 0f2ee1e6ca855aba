import json

import pytest

from model.architecture import Architecture, Branch, Step
from model.taxonomy import default_taxonomy
from tests.ui.card_samples import made_report
from ui.card.architecture import dot, in_words, layer_table, on_disk
from ui.card.charts import coverage_chart, reliability_chart, set_size_chart
from ui.card.confidence import in_words as threshold_in_words
from ui.card.report import Level, read_report
from ui.charts import Bar, bars
from ui.confusion import mistaken

REPORT = read_report(made_report(default_taxonomy()))
DRAWN = Architecture(
    branches=(
        Branch(
            "semantic",
            (("rows", (None,)),),
            (
                Step((("Embedding", 1),), ("table",), (None, 512), 5120),
                Step((("Dense", 2), ("Scale", 1)), ("a", "b", "c"), (27,), 300),
            ),
            4,
            5420,
        ),
        Branch('odd "name"\\', (("x", (3,)),), (), 1, 0),
    ),
    joint=(Step((("Add", 1),), ("sum",), (27,), 0),),
    layers=6,
    parameters=5420,
)


def rows(chart) -> list[list[dict]]:
    return list(chart.to_dict()["datasets"].values())


def test_the_reliability_has_a_point_for_each_bin_with_answers(english):
    points = next(data for data in rows(reliability_chart(REPORT.reliability)) if "rows" in data[0])
    assert [row["rows"] for row in points] == [one.rows for one in REPORT.reliability]
    diagonal = next(data for data in rows(reliability_chart(REPORT.reliability)) if "rows" not in data[0])
    assert [(row["confidence"], row["accuracy"]) for row in diagonal] == [(0, 0), (1, 1)]


def test_the_curve_shows_the_chosen_threshold(english):
    chosen = REPORT.coverage[70]
    found = rows(coverage_chart(REPORT.coverage, chosen))
    assert [{"coverage": chosen.coverage, "accuracy": chosen.accuracy, "ink": "text"}] in found
    assert all(len(data) > 1 for data in rows(coverage_chart(REPORT.coverage, None)))


def test_a_threshold_that_nothing_passes_is_no_point():
    levels = [Level(0.0, 1.0, 0.8, None), Level(0.9, 0.0, None, None)]
    [data] = rows(coverage_chart(levels, levels[1]))
    assert [(row["coverage"], row["low"], row["high"]) for row in data] == [(1.0, 0.8, 0.8)]


def test_the_threshold_is_said_with_its_interval(english):
    said = threshold_in_words(0.6, Level(0.6, 0.75, 0.9, (0.88, 0.92)))
    assert said == (
        "With a threshold of 60%, **75.0% of the products** would be decided without a person, "
        "and **90.0% of these** would be right (95%: 88.0% – 92.0%)."
    )
    assert threshold_in_words(0.6, None).count("–") == 3


@pytest.mark.parametrize(
    "chart",
    [
        lambda: reliability_chart(REPORT.reliability),
        lambda: coverage_chart(REPORT.coverage, REPORT.coverage[60]),
        lambda: set_size_chart([("1", 0.7), ("2", 0.3)]),
        lambda: bars([Bar("a", 0.5, "0.5", interval=(0.4, 0.6)), Bar("b", 0.4, "0.4")], step=30),
    ],
)
def test_colours_come_from_the_theme(spoken, chart):
    spec = chart().to_dict()
    layers = spec.get("layer", [spec])
    assert "#" not in json.dumps([layer.get("encoding") for layer in layers])
    assert all(row.get("ink", "first") in ("first", "other", "text") for data in rows(chart()) for row in data)


@pytest.mark.parametrize(
    "chart",
    [
        lambda: reliability_chart(REPORT.reliability),
        lambda: coverage_chart(REPORT.coverage, REPORT.coverage[60]),
        lambda: bars([Bar("a", 0.5, "0.5", interval=(0.4, 0.6))], threshold=0.6),
    ],
)
def test_no_mark_shows_its_bare_columns(english, chart):
    assert all("tooltip" in layer["encoding"] for layer in chart().to_dict()["layer"])


def test_a_bar_has_its_interval_drawn():
    chart = bars([Bar("a", 0.5, "0.5", interval=(0.4, 0.6)), Bar("b", 0.4, "0.4")], step=30)
    assert [{"name": "a", "low": 0.4, "high": 0.6, "written": "text"}] in rows(chart)
    assert chart.height == 60


def test_the_most_frequent_mistakes_come_first():
    counts = REPORT.confusion.counts * 0
    counts[0, 1], counts[2, 0], counts[1, 1] = 3, 7, 90
    assert mistaken(counts, 5) == [(2, 0), (0, 1)]
    assert mistaken(counts, 1) == [(2, 0)]
    assert counts[1, 1] == 90, "what is given stays as it is"


def test_the_drawing_joins_every_branch_in_the_sum(english):
    text = dot(DRAWN)
    edges = {tuple(line.split(" -> ")) for line in text.splitlines() if " -> " in line}
    assert edges == {
        ('"semantic: rows"', '"table"'),
        ('"table"', '"a … c"'),
        ('"a … c"', '"sum"'),
        (r'"odd \"name\"\\: x"', '"sum"'),
    }
    assert r'"Dense × 2\n27\n300 parameters"' in text, "helpers are left to the table"
    assert r'label="odd \"name\"\\\n0 parameters"' in text
    assert r'"Add\n27"' in text


def test_the_drawing_is_told_in_words_and_in_a_table(english):
    words = in_words(DRAWN)
    assert words.startswith("2 branches") and "Meaning of the text (4 layers, 5,420 parameters)" in words
    table = layer_table(DRAWN)
    assert list(table["parameters"]) == [5120, 300, 0]
    assert list(table["shape"]) == ["n × 512", "27", "27"]
    assert table["layers"][1] == "Dense × 2, Scale" and table["names"][1] == "a, b, c"


@pytest.mark.parametrize("manifest", [{}, {"files": None}, {"files": {"a": {"bytes": None}}}, {"files": {"a": 3}}])
def test_a_size_that_is_not_known_is_a_dash(english, manifest):
    assert on_disk(manifest) == "Size on disk: –."


def test_the_size_is_that_of_all_files(english):
    files = {"a.npz": {"bytes": 2_000_000}, "b.npz": {"bytes": 500_000}, "c.csv": {"bytes": 10}}
    assert on_disk({"files": files}) == "Size on disk: 2.5 MB. Of these: a.npz (2.0 MB) and b.npz (0.5 MB)."
