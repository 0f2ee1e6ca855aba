"""Several products at once, by their content."""

from decisions.items import Filter, NewItem, Verdict, product_key
from decisions.lookup import look_up
from model.product import Product, RankedCategory


def test_known_products_are_found_among_many(store) -> None:
    new = [NewItem(Product(f"product {i}"), (RankedCategory(10, 0.5),), "model") for i in range(510)]
    store.add(new[:505])
    store.record(new[3], Verdict("unknown"), "Marie", "here")
    keys = [product_key(item.product) for item in new]
    every = {item.key: item for item in [*store.items(Filter(), limit=2_000), store.find(keys[3])]}
    found = look_up(store, [*keys, keys[0]])
    assert found == every and len(found) == 505
    assert found[keys[3]].standing.person == "Marie"
    assert look_up(store, []) == {}
