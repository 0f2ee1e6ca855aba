"""The catalogues are complete, up to date with the source, and compiled."""

import ast
import re

import pytest

from ui import catalogues
from ui.language import LANGUAGES

each_language = pytest.mark.parametrize("language", LANGUAGES)


def forms(message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def written(language):
    return [message for message in catalogues.read(language) if message.id]


@each_language
def test_every_string_of_the_source_is_in_the_catalogue_and_no_other(language):
    source = {message.id for message in catalogues.extracted() if message.id}
    assert {message.id for message in written(language)} == source


@each_language
def test_every_string_is_translated_and_none_is_a_guess(language):
    assert [m.id for m in written(language) if not all(form.strip() for form in forms(m)) or m.fuzzy] == []


@each_language
def test_placeholders_are_those_of_the_source(language):
    def placeholders(text):
        return sorted(re.findall(r"\{\w+\}", text))

    for message in written(language):
        sources = [message.id] if isinstance(message.id, str) else message.id
        for source, form in zip(sources, forms(message), strict=True):
            assert placeholders(form) == placeholders(source), message.id


@each_language
def test_bold_marks_are_those_of_the_source(language):
    for message in written(language):
        source = message.id if isinstance(message.id, str) else message.id[1]
        assert {form.count("**") for form in forms(message)} == {source.count("**")}, message.id


@each_language
def test_the_compiled_catalogue_is_that_of_the_text(language):
    compiled = catalogues.po_path(language).with_suffix(".mo").read_bytes()
    assert compiled == catalogues.compiled(catalogues.read(language))


def test_french_is_not_english():
    same = [m.id for m in written("fr") if m.id == m.string]
    words = ["Action", "Administration", "Code", "Description", "Distance", "E-mail", "Format", "Stable", "Suggestion"]
    words += ["Total", "format", "session", "{decision} ({person})", "{n} points", "{product} → {answer}"]
    assert sorted(same, key=str) == [("{n} point", "{n} points"), *words]


def test_french_punctuation_keeps_to_its_word():
    """A colon or a question mark alone on a line: the space before it must not break."""
    assert [m.id for m in written("fr") if any(re.search(r" [:;?!]", form) for form in forms(m))] == []


def test_no_string_escapes_extraction():
    """Babel does not look inside f-strings on Python 3.11: no translated string may stand in one."""
    names = set(catalogues.KEYWORDS)
    for path in catalogues.sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                calls = [n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
                hidden = [n for n in calls if n.func.id in names and isinstance(n.args[0], ast.Constant)]
                assert not hidden, f"{path.name}:{node.lineno}"
