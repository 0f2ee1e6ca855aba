from model.taxonomy import Category, default_taxonomy
from ui.scopes import SCOPES, scope


def test_the_scopes_are_those_of_the_taxonomy():
    assert list(SCOPES) == [category.scope for category in default_taxonomy().categories]


def test_each_scope_is_translated(french):
    for category in default_taxonomy().categories:
        assert scope(category) != category.scope


def test_another_taxonomys_scope_is_shown_as_it_is_worded(french):
    assert scope(Category(1, "a", "b", 1, "things of tomorrow")) == "things of tomorrow"
    assert scope(Category(1, "a", "b", 1, "")) == ""
