import pytest

from ui.charts import Bar, bars

ROWS = [Bar("1920 · Linge", 0.7, "70 %", first=True), Bar("10 · Livres", 0.2, "20 %"), Bar("50 · Jeux", 0.1, "10 %")]


def spec(threshold=None) -> dict:
    return bars(ROWS, threshold).to_dict()


def layer(chart: dict, kind: str, field: str) -> dict:
    return next(
        found
        for found in chart["layer"]
        if found["mark"]["type"] == kind
        and field in {channel.get("field") for channel in found["encoding"].values() if isinstance(channel, dict)}
    )


def test_bars_keep_their_order_and_their_numbers():
    chart = spec()
    data = next(iter(chart["datasets"].values()))
    assert [(row["name"], row["value"], row["text"]) for row in data] == [(b.name, b.value, b.text) for b in ROWS]
    assert layer(chart, "bar", "value")["encoding"]["y"]["sort"] is None


def test_probabilities_are_drawn_from_0_to_1():
    assert layer(spec(), "bar", "value")["encoding"]["x"]["scale"]["domain"] == [0, 1]


def test_the_first_stands_out_in_a_colour_of_the_theme():
    chart = spec()
    assert [row["ink"] for row in next(iter(chart["datasets"].values()))] == ["first", "other", "other"]
    colour = layer(chart, "bar", "value")["encoding"]["color"]
    assert colour["scale"]["domain"] == ["first", "other", "text"]
    assert "range" not in colour["scale"]


def test_the_name_and_the_percentage_are_written():
    layer(spec(), "text", "name")
    layer(spec(), "text", "text")


@pytest.mark.parametrize("threshold", [None, 0.6])
def test_the_threshold_is_a_line_when_there_is_one(threshold):
    rules = [found for found in spec(threshold)["layer"] if found["mark"]["type"] == "rule"]
    assert len(rules) == (threshold is not None)


def test_the_height_grows_with_the_rows():
    assert bars(ROWS).height == 3 * bars(ROWS[:1]).height
