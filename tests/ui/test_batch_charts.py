import json

import numpy as np
import pytest

from ui.batch.charts import BINS, category_bars, confidence_histogram, threshold_curve
from ui.confusion import confusion_map

NAMES = ["1920 · Linge", "10 · Livres", "50 · Jeux"]


def rows(chart, place: int = 0) -> list[dict]:
    return list(chart.to_dict()["datasets"].values())[place]


def test_bars_keep_the_order_given_and_say_their_share(french):
    chart = category_bars(NAMES, [1200, 700, 100], "Produits")
    assert [(row["name"], row["count"]) for row in rows(chart)] == list(zip(NAMES, [1200, 700, 100], strict=True))
    assert rows(chart)[0]["spoken"] == "1920 · Linge\u00a0: 1\u202f200 (60,0\u202f%)"
    assert chart.to_dict()["layer"][0]["encoding"]["y"]["sort"] == NAMES


def test_every_confidence_is_counted_once(english):
    confidence = np.array([0.0, 0.049, 0.05, 0.5, 0.999, 1.0], np.float32)
    counts = [row["count"] for row in rows(confidence_histogram(confidence, "x", "y"))]
    assert len(counts) == BINS and sum(counts) == len(confidence)
    assert (counts[0], counts[1], counts[10], counts[-1]) == (2, 1, 1, 2)


def test_the_curve_has_its_threshold_as_a_line(english):
    chart = threshold_curve([0.0, 0.5, 1.0], [0, 3, 10], 10, 0.6, "x", "y")
    assert [row["spoken"] for row in rows(chart)] == ["0%: 0 (0%)", "50%: 3 (30%)", "100%: 10 (100%)"]
    assert rows(chart, 1) == [{"threshold": 0.6, "ink": "text"}]
    assert chart.to_dict()["layer"][0]["encoding"]["y"]["scale"]["domain"] == [0, 10]


def test_the_map_shows_counts_and_shares_of_the_line_without_empty_categories(english):
    confusion = np.array([[3, 0, 1], [0, 0, 0], [0, 0, 0]])
    chart = confusion_map(confusion, [1920, 10, 50], NAMES, "Given", "Answered", "Rows", "Share")
    found = {(row["given"], row["answered"]): (row["count"], row["share"], row["share_text"]) for row in rows(chart)}
    assert found == {("1920", "1920"): ("3", 0.75, "75.0%"), ("1920", "50"): ("1", 0.25, "25.0%")}
    titles = [tooltip["title"] for tooltip in chart.to_dict()["encoding"]["tooltip"]]
    assert titles == ["Given", "Answered", "Rows", "Share"]


@pytest.mark.parametrize(
    "chart",
    [
        lambda: category_bars(NAMES, [1, 2, 3], "t"),
        lambda: confidence_histogram(np.array([0.5]), "x", "y"),
        lambda: threshold_curve([0, 1], [0, 1], 1, 0.5, "x", "y"),
        lambda: confusion_map(np.eye(3, dtype=int), [1, 2, 3], NAMES, "a", "b", "c", "d"),
    ],
)
def test_colours_come_from_the_theme(spoken, chart):
    assert "#" not in json.dumps(chart().to_dict()["datasets"] | {"e": chart().to_dict().get("encoding", "")})
    assert '"range"' not in json.dumps(chart().to_dict())
