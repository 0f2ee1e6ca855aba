"""The page of a report: all of it there, nothing from elsewhere, nothing unescaped."""

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np

from model.evaluation.drawings import coverage_drawing, reliability_drawing
from model.evaluation.page import page
from model.evaluation.summary import summary
from model.taxonomy import Category, Taxonomy
from tests.model.evaluation.samples import CODES, made_report

EVIL = "<script>alert('x')</script>&\"$title"
TAXONOMY = Taxonomy(tuple(Category(code, "", f"{EVIL} {code}", 1, "") for code in CODES))


class Seen(HTMLParser):
    """Tags and texts of a page, and whether they are nested well."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.open, self.texts, self.attributes = set(), [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in {"meta", "line", "circle", "polyline", "polygon"} or self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag != "circle":
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def evil_report():
    found = made_report(subsets={EVIL: np.ones(200, bool)})
    found |= {"model": EVIL, "caution": EVIL, "weighting": EVIL, "command": EVIL, "language_by": EVIL}
    found["data"] = {"name": EVIL, "rows": 200, "fingerprint": EVIL, "left_out": {EVIL: 3}}
    found["by_language"][EVIL] = found["overall"]
    return found


def test_everything_is_escaped_and_nested():
    seen = Seen(page(evil_report(), TAXONOMY))
    assert seen.open == [] and "script" not in seen.tags
    assert not {name for name, _ in seen.attributes if name.startswith("on") or name in {"src", "href", "srcset"}}
    assert sum(EVIL in text for text in seen.texts) > 8
    assert "$" not in "".join(seen.texts).replace(EVIL, "")


def test_it_asks_nothing_of_another_machine():
    text = page(made_report(), TAXONOMY)
    assert "default-src 'none'" in text
    assert "http:" not in text and "https:" not in text and "url(" not in text and "@import" not in text


def test_the_numbers_are_there():
    found = made_report(branches={"lexical": np.eye(4)[np.zeros(200, int)]})
    text = "\n".join(Seen(page(found, TAXONOMY)).texts)
    low, high = found["overall"]["macro_f1_interval"]
    for value in (
        *(f"{found['overall']['macro_f1']:.3f} [{low:.3f}, {high:.3f}]", f"{found['categories'][2]['recall']:.3f}"),
        *(f"{100 * found['coverage'][70]['accuracy']:.1f} %", f"{100 * found['reliability'][12]['confidence']:.1f} %"),
        *(f"{found['sets']['mean_size']:.3f}", f"{found['branches']['lexical']:.3f}"),
    ):
        assert value in text
    assert str(max(map(max, found["confusion"]["counts"]))) in text


def test_a_report_of_one_row_can_be_shown():
    found = made_report(1)
    assert Seen(page(found, TAXONOMY)).open == []
    assert "made-1 on made up" in summary(found)


def test_drawings_stay_in_their_frame():
    found = made_report(500)
    for drawing in (reliability_drawing(found["reliability"]), coverage_drawing(found["coverage"])):
        root = ET.fromstring(drawing)
        _, _, width, height = map(float, root.get("viewBox").split())
        places = [(float(c.get("cx")), float(c.get("cy"))) for c in root.iter("circle")]
        for shape in (*root.iter("polyline"), *root.iter("polygon")):
            places += [tuple(map(float, pair.split(","))) for pair in shape.get("points").split()]
        assert len(places) > 2 and all(0 <= x <= width and 0 <= y <= height for x, y in places)


def test_the_summary_says_what_was_left_out():
    found = made_report() | {"caution": "Beware."}
    found["data"] = {"name": "offi", "rows": 200, "left_out": {"trained_on": 12, "bad_rows": 0}}
    lines = summary(found).splitlines()
    assert lines[:2] == ["made-1 on offi, 200 rows (left out: trained on 12)", "caution: Beware."]
    assert all(line.split()[0] for line in lines if line) and "all" in lines[4]
