"""Guessing: how long it takes, and that it costs the server no memory and the owner of a name no day."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.attempts import FOR_ADDRESS, FOR_NAME, Attempts, network_of, whole_seconds


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock) -> Attempts:
    return Attempts(clock=clock)


def guesses(attempts: Attempts, clock: Clock, seconds: float, name=lambda n: "anna", address=lambda n: "a") -> int:
    """How many passwords can be tried in so many seconds, by somebody who waits exactly as long as told."""
    end, tried = clock.now + seconds, 0
    while clock.now < end:
        wait = attempts.begin(name(tried), address(tried))
        if wait > 0:
            clock.now += wait
        else:
            tried += 1
    return tried


def test_waits_grow_and_the_name_waits_a_minute_at_most(attempts, clock):
    waits = []
    for _ in range(14):
        while (wait := attempts.begin("anna", f"address {len(waits)}")) > 0:
            waits.append(round(wait))
            clock.now += wait
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_day_of_guessing_from_the_whole_world(attempts, clock):
    assert guesses(attempts, clock, 86_400, address=lambda n: f"address {n}") < 1460


def test_a_day_of_guessing_many_names_from_one_address(attempts, clock):
    assert guesses(attempts, clock, 86_400, name=lambda n: f"name {n}") < 150


def test_waiting_does_not_count(attempts, clock):
    for _ in range(FOR_NAME.free):
        assert attempts.begin("anna", "a") <= 0
    first = attempts.begin("anna", "a")
    assert all(attempts.begin("anna", "a") == first for _ in range(100))
    clock.now += first
    assert attempts.begin("anna", "a") <= 0


def test_many_at_once_are_not_better_off(attempts):
    assert sum(attempts.begin("anna", f"address {n}") <= 0 for n in range(1000)) == FOR_NAME.free


def test_success_frees_the_name_and_not_the_address(attempts, clock):
    for n in range(FOR_ADDRESS.free - 1):
        attempts.begin(f"name {n}", "a")
    assert attempts.begin("own account", "a") <= 0
    attempts.succeeded("own account", "a")
    assert attempts.begin("another", "a") <= 0
    assert attempts.begin("yet another", "a") > 0


def test_an_hour_later_all_is_forgotten(attempts, clock):
    for _ in range(FOR_NAME.free):
        attempts.begin("anna", "a")
    assert attempts.begin("anna", "b") > 0
    clock.now += 3600
    assert all(attempts.begin("anna", "b") <= 0 for _ in range(FOR_NAME.free))


def test_made_up_names_make_room_for_one_another(clock):
    attempts = Attempts(most=1000, clock=clock)
    for _ in range(FOR_NAME.free):
        attempts.begin("anna", "a")
    for n in range(20_000):
        attempts.begin(f"name {n}", f"address {n}")
        assert len(attempts) <= 1001
    assert attempts.begin("anna", "b") > 0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.floats(0, 100), st.booleans()), max_size=60))
def test_nobody_waits_longer_than_told(steps):
    clock = Clock()
    attempts = Attempts(clock=clock)
    for name, address, pause, right in steps:
        clock.now += pause
        wait = attempts.begin(name, address)
        assert wait <= max(FOR_NAME.longest, FOR_ADDRESS.longest)
        if wait > 0:
            clock.now += wait + 1e-6
            assert attempts.begin(name, address) <= 0
        if right:
            attempts.succeeded(name, address)


def test_what_is_one_visitors_address():
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1") != network_of("10.0.0.2")
    assert network_of("testclient") == "testclient" and network_of("fe80::1%eth0") == network_of("fe80::2%eth1")


def test_a_wait_is_told_in_whole_seconds():
    assert [whole_seconds(wait) for wait in (0.01, 1.0, 1.2)] == [1, 1, 2]
