import pytest

from model.taxonomy import default_taxonomy


@pytest.fixture
def page(app):
    return app.switch_page("pages/categories.py").run()


def test_all_categories_are_listed_with_label_scope_and_count(page):
    assert not page.exception
    table = page.dataframe[0].value
    taxonomy = default_taxonomy()
    assert list(table["code"]) == list(taxonomy.codes)
    assert list(table["label"]) == [category.label_fr for category in taxonomy.categories]
    assert list(table["count"]) == [category.train_count for category in taxonomy.categories]
    assert all(table["scope"])


@pytest.mark.parametrize(
    ("wanted", "code"), [("1320", 1320), ("puericulture", 1320), ("Baby care", 1320), ("bavoirs", 1320)]
)
def test_search_finds_by_code_label_and_scope_whatever_the_accents(page, wanted, code):
    page.text_input(key="categories_search").set_value(wanted).run()
    assert list(page.dataframe[0].value["code"]) == [code]


def test_search_without_result_says_so(page):
    page.text_input(key="categories_search").set_value("zzzz").run()
    assert not page.dataframe
    assert page.info[0].value == "Aucune catégorie ne correspond."


def test_labels_and_scopes_follow_the_language(page):
    page.session_state["app_language"] = "en"
    table = page.run().dataframe[0].value
    assert list(table["label"]) == [category.label_en for category in default_taxonomy().categories]
    assert list(table["scope"]) == [category.scope for category in default_taxonomy().categories]
