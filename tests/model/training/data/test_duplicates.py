"""Which rows are the same listing."""

import hashlib
from functools import partial

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.taxonomy import default_taxonomy
from model.training.data import (
    DataError,
    Example,
    fingerprint,
    groups,
    picture_hashes,
    read_labelled,
    text_key,
    text_keys,
)
from model.training.data.duplicates import words
from preprocessing.text import tokenize
from tests.model.made_up import made_up, write_official

HTML = st.text(st.sampled_from("aÉß<>/&;\"' br#é\n\x1f0_-œ\u0301"), max_size=40)


def row(designation="", description="", id_="0", code=10, picture=None):
    return Example(id_, code, designation, description, picture)


@given(st.one_of(HTML, st.text(max_size=40)))
@example("<p class='x'>L&#39;été&nbsp;&amp;amp; l’hiver</p>")
def test_words_are_those_the_model_reads(text):
    assert words(text) == [token.text for token in tokenize(text)]


def test_a_key_tells_words_apart_not_their_dress():
    key = text_key("Été à l'île", "<p>Un sac &agrave; main</p>")
    assert key == text_key("ETE  a L’ILE!", "un sac à main")
    assert key != text_key("Été à l'île", "") != text_key("", "Été à l'île")
    assert text_key("a", "b") != text_key("a b", "") and text_key("ab", "") != text_key("a b", "")
    assert 0 < key < 2**64
    assert text_key("", "") == text_key("<br>", "&nbsp;…") == 0


def test_keys_of_rows():
    rows = [row("Sac"), row("", "Sac"), row("!")]
    keys = text_keys(rows, progress=lambda items, total: items)
    assert keys.dtype == np.uint64
    assert keys.tolist() == [text_key("Sac", ""), text_key("", "Sac"), 0]


def test_a_group_shares_a_text_or_a_picture_or_somebody_between():
    rows = [row("a"), row("b"), row("A!"), row("c"), row("d"), row(""), row("")]
    hashes = ["1", "2", None, "2", "1", None, "2"]
    found = groups(rows, hashes)
    assert [sorted(np.flatnonzero(found == g)) for g in dict.fromkeys(found)] == [[0, 2, 4], [1, 3, 6], [5]]
    assert sorted(set(found)) == [0, 1, 2]


TEXTS = st.sampled_from(["", "a", "b", "c", "A", "d", "<br>"])
ROWS = st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from([None, "x", "y", "z", "w"])), max_size=12)


def listings(rows):
    return [row(first, second, picture=picture and f"/p/{picture}") for first, second, picture in rows]


def closure(rows) -> list[set[int]]:
    """The groups found the slow way."""
    keys = [(text_key(first, second), picture) for first, second, picture in rows]
    together = [{i} for i in range(len(rows))]
    for _ in rows:
        for i, (text, picture) in enumerate(keys):
            for j, (other_text, other_picture) in enumerate(keys):
                if (text and text == other_text) or (picture and picture == other_picture):
                    together[i] |= together[j]
                    together[j] |= together[i]
    return together


@given(ROWS)
def test_groups_are_the_transitive_closure(rows):
    found = groups(listings(rows), [picture for _, _, picture in rows])
    assert [set(np.flatnonzero(found == number)) for number in found] == closure(rows)


@given(ROWS, st.randoms(use_true_random=False))
def test_numbers_do_not_depend_on_the_order_of_the_rows(rows, random):
    rows = [*{(first, second): (first, second, picture) for first, second, picture in rows if first + second}.values()]
    order = random.sample(range(len(rows)), len(rows))
    pictures = [picture for _, _, picture in rows]
    found = groups(listings(rows), pictures)
    again = groups([listings(rows)[i] for i in order], [pictures[i] for i in order])
    assert again.tolist() == found[order].tolist()


def test_one_hash_and_one_key_for_each_row():
    with pytest.raises(ValueError, match="for each row"):
        groups([row("a")], [])
    assert groups([], []).shape == (0,)


def test_hashes_of_pictures(tmp_path):
    write_official(tmp_path, rows=150, pictures=0.6, test_rows=0)
    rows = read_labelled(tmp_path, default_taxonomy()).examples
    seen = []

    def progress(items, total, note):
        assert note == "pictures" and total == sum(row.picture is not None for row in rows)
        for item in items:
            seen.append(item)
            yield item

    expected = [m.picture and hashlib.sha256(m.picture).hexdigest() for m in made_up(150, pictures=0.6)]
    assert picture_hashes(rows, partial(progress, note="pictures")) == expected == picture_hashes(rows)
    assert len(seen) == sum(row.picture is not None for row in rows)
    found = groups(rows, expected)
    assert len(set(found)) == len({(m.designation, m.description) for m in made_up(150, pictures=0.6)}) < 150


def test_a_picture_that_has_gone_is_named(tmp_path):
    with pytest.raises(DataError, match=r"a\.jpg cannot be read \(No such file"):
        picture_hashes([row("a", picture=str(tmp_path / "a.jpg"))])


def test_the_fingerprint_tells_every_field_and_the_order():
    rows = [row("a", "b", "0", 10, "/x/p.jpg"), row("c", "d", "1", 40)]
    others = [
        rows[::-1],
        rows[:1],
        [row("a", "b", "9", 10, "/x/p.jpg"), rows[1]],
        [row("a", "b", "0", 40, "/x/p.jpg"), rows[1]],
        [row("ab", "", "0", 10, "/x/p.jpg"), rows[1]],
        [row("a", "b\x1f", "0", 10, "/x/p.jpg"), rows[1]],
        [row("a", "b", "0", 10, "/x/q.jpg"), rows[1]],
        [row("a", "b", "0", 10), rows[1]],
    ]
    assert len({fingerprint(rows), *map(fingerprint, others)}) == len(others) + 1
    assert fingerprint(rows) == fingerprint([row("a", "b", "0", 10, "/elsewhere/p.jpg"), rows[1]])
