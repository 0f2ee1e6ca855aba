"""Tokens of the REST interface on both databases, and from several threads at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from api.tokens import TokenError, Tokens


def test_a_token_from_its_first_to_its_last_moment(engine, clock):
    tokens = Tokens(engine, clock)
    assert not tokens.any()
    token = tokens.add("shop", ["jobs"], days=1)
    found = tokens.find(token)
    assert (found.name, found.scopes, found.created) == ("shop", {"jobs"}, clock())
    assert tokens.all()[0].used == clock() and (found.expires - found.created).days == 1
    with pytest.raises(TokenError):
        tokens.add("shop", ["jobs"])
    tokens.revoke("shop")
    assert tokens.find(token) is None and tokens.any()
    assert tokens.find(tokens.add("shop", ["classify"])).id != found.id


def test_many_ask_at_once(engine):
    made = Tokens(engine)
    names = {made.add(f"client-{i}", ["jobs"]): f"client-{i}" for i in range(4)}
    with ThreadPoolExecutor(8) as pool:
        asked = list(names) * 20
        assert [client.name for client in pool.map(Tokens(engine).find, asked)] == [names[token] for token in asked]
