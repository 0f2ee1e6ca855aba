"""The taxonomy, and its table of ImageNet classes."""

import csv

import pytest

from model.taxonomy import DEFAULT_PATH, Taxonomy, default_taxonomy


def test_the_27_categories() -> None:
    taxonomy = default_taxonomy()
    assert len(taxonomy) == 27 and taxonomy.codes[0] == 10 and taxonomy.codes[-1] == 2905
    assert sum(c.train_count for c in taxonomy.categories) == 84_916
    assert taxonomy[1940].label("fr") == "Alimentation" and taxonomy[1940].label("en") == "Food"
    assert taxonomy.index(40) == 1


@pytest.mark.parametrize("text", ["", "code\n1", "code,label_fr,label_en,train_count,scope\nx,a,b,1,c\n"])
def test_refuses_what_is_no_taxonomy(text: str) -> None:
    with pytest.raises(ValueError, match="taxonomy"):
        Taxonomy.from_csv(text)


def test_a_code_given_twice_is_refused() -> None:
    row = "7,a,b,1,c\n"
    with pytest.raises(ValueError, match="once"):
        Taxonomy.from_csv("code,label_fr,label_en,train_count,scope\n" + row + row)


def test_every_imagenet_class_has_its_line() -> None:
    with DEFAULT_PATH.with_name("imagenet_categories.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(r["index"]) for r in rows] == list(range(1000))
    codes, empty = set(default_taxonomy().codes), 0
    for row in rows:
        pairs = [pair.split(":") for pair in filter(None, row["categories"].split(";"))]
        empty += not pairs
        assert {int(code) for code, _ in pairs} <= codes
        assert all(0 < float(weight) <= 1 for _, weight in pairs)
        assert sum(float(weight) for _, weight in pairs) <= 0.951
    assert empty > 500
