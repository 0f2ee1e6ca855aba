"""Any sequence of what moderators do, step by step beside a plain dictionary that does the same."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from decisions.errors import DecisionError
from decisions.items import Filter, Item, Many, Verdict, margin, product_key
from decisions.store import DecisionStore
from tests.decisions.samples import Clock, check_agrees, empty, everything, new_item

LEASE = 100
PEOPLE = ("Ana", "Bob", "Cem")
people = st.sampled_from(PEOPLE)
numbers = st.integers(0, 4)
verdicts = st.sampled_from(["accepted", "corrected", "unknown", "skipped", "approved"])


@dataclass
class Entry:
    """A product, in plain words: its decisions that count, the last on top; who has it, and until when."""

    margin: float
    first: int
    stack: list[tuple[str, str, int | None, int]] = field(default_factory=list)  # person, decision, code, action
    holder: str | None = None
    until: float = 0

    @property
    def state(self) -> str:
        last = self.stack[-1][1] if self.stack else "pending"
        return {"pending": "pending", "skipped": "skipped", "approved": "approved"}.get(last, "decided")


class Moderators(RuleBasedStateMachine):
    """Each person is a holder of the same name."""

    make: Callable[..., DecisionStore]
    clock: Clock

    @initialize()
    def start(self) -> None:
        self.store = self.make(lease_seconds=LEASE)
        empty(self.store.engine)
        self.model: dict[str, Entry] = {}
        self.now, self.actions = 0.0, 0
        self.seen: dict[tuple[str, str], Item] = {}

    # --- what the model knows ------------------------------------------------------------------------------

    def free(self, entry: Entry, person: str) -> bool:
        return entry.holder in (None, person) or entry.until <= self.now

    def let_go(self, person: str) -> None:
        for entry in self.model.values():
            if entry.holder == person:
                entry.holder = None

    def refusal(self, key: str, item: Item, decision: str, person: str) -> str | None:
        entry = self.model[key]
        if not self.free(entry, person):
            return "held"
        if (item.standing is None) != (not entry.stack):
            return "changed"
        if entry.stack and self.ids[key][-1] != item.standing.id:
            return "changed"
        if decision == "approved" and (not entry.stack or entry.stack[-1][1] in ("skipped", "approved")):
            return "changed"
        if decision == "approved" and entry.stack[-1][0] == person:
            return "own"
        if decision == "skipped" and entry.stack and entry.stack[-1][1] != "skipped":
            return "skip_decided"
        return None

    def agreed(self, key: str, decision: str, code: int | None, person: str) -> bool:
        """Somebody else had said the same, though not what counts now."""
        deciding = ("accepted", "corrected", "unknown")
        stack = self.model[key].stack
        if decision not in deciding or not stack or stack[-1][1] not in deciding:
            return False
        latest = {other: named for other, said, named, _ in stack if said != "skipped"}
        return any(named == code for other, named in latest.items() if other != person)

    def put(self, key: str, person: str, kept, action: int) -> None:
        entry = self.model[key]
        entry.stack.append((person, kept.decision, kept.code, action))
        entry.holder = None
        self.ids.setdefault(key, []).append(kept.id)

    @property
    def ids(self) -> dict[str, list[int]]:
        return self.__dict__.setdefault("_ids", {})

    # --- what people do ------------------------------------------------------------------------------------

    @rule(wanted=st.sets(numbers, min_size=1))
    def add(self, wanted: set[int]) -> None:
        new = {number: new_item(f"P{number}", 10 + number, 2583, first=0.5 + number / 10) for number in wanted}
        added = self.store.add(new.values())
        fresh = 0
        for item in new.values():
            key = product_key(item.product)
            if key not in self.model:
                fresh += 1
                self.model[key] = Entry(margin(item.suggestions), item.suggestions[0].code)
        assert added.added == fresh

    @rule(person=people, state=st.sampled_from(["pending", "skipped", "decided"]))
    def claim(self, person: str, state: str) -> None:
        item = self.store.claim(person, person, Filter(state=state))
        passing = [key for key, entry in self.model.items() if entry.state == state and self.free(entry, person)]
        own = [key for key in passing if self.model[key].holder == person]
        expected = min(own or passing, key=lambda key: self.model[key].margin, default=None)
        assert (item and item.key) == expected
        self.let_go(person)
        if item is not None:
            self.model[item.key].holder, self.model[item.key].until = person, self.now + LEASE
            self.seen[person, item.key] = item

    @precondition(lambda self: self.model)
    @rule(person=people, data=st.data())
    def hold(self, person: str, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model)))
        free = self.free(self.model[key], person)
        try:
            self.seen[person, key] = self.store.hold(person, person, key)
        except DecisionError as error:
            assert error.reason == "held" and not free
            return
        assert free
        self.let_go(person)
        self.model[key].holder, self.model[key].until = person, self.now + LEASE

    @rule(person=people)
    def release(self, person: str) -> None:
        self.store.release(person)
        self.let_go(person)

    @rule(seconds=st.sampled_from([1, LEASE - 1, LEASE]))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.clock.go(seconds=seconds)

    @precondition(lambda self: self.seen)
    @rule(decision=verdicts, data=st.data())
    def decide(self, decision: str, data: st.DataObject) -> None:
        """On a product as it was seen, now or a while ago."""
        person, key = data.draw(st.sampled_from(sorted(self.seen)))
        item = self.seen[person, key]
        expected = self.refusal(key, item, decision, person)
        code = 60 if decision == "corrected" else None
        try:
            kept = self.store.decide(item, Verdict(decision, code), person, person)
        except DecisionError as error:
            assert error.reason == expected
            return
        assert expected is None
        before = self.model[key].stack[-1][2] if self.model[key].stack else None
        assert kept.code == {"accepted": item.code, "corrected": 60, "approved": before}.get(decision)
        agreed = self.agreed(key, decision, kept.code, person)
        assert kept.decision == ("approved" if agreed else decision)
        self.actions += 1
        self.put(key, person, kept, self.actions)

    @precondition(lambda self: self.model)
    @rule(person=people, decision=verdicts, data=st.data())
    def decide_many(self, person: str, decision: str, data: st.DataObject) -> None:
        keys = data.draw(st.lists(st.sampled_from(sorted(self.model)), unique=True))
        found = [self.seen.get((person, key)) or self.store.find(key) for key in keys]
        refusals = {key: self.refusal(key, item, decision, person) for key, item in zip(keys, found, strict=True)}
        if {"own", "skip_decided"} & set(refusals.values()):
            return
        verdict = Verdict(decision, 60 if decision == "corrected" else None)
        done = self.store.decide_many(found, verdict, person, person)
        reasons = list(refusals.values())
        assert done == Many(reasons.count(None), reasons.count("held"), reasons.count("changed"))
        self.actions += 1
        for key, reason in refusals.items():
            if reason is None:
                self.put(key, person, self.store.find(key).standing, self.actions)

    @rule(person=people)
    def undo(self, person: str) -> None:
        """The latest action of which anything still counts; what others have open of it stays."""
        own = [(entry[3], key) for key, each in self.model.items() for entry in each.stack if entry[0] == person]
        counting = [
            (each.stack[-1][3], key) for key, each in self.model.items() if each.stack and each.stack[-1][0] == person
        ]
        last = max(counting, default=(-1, ""))[0]
        tops = [key for action, key in counting if action == last]
        expected = [key for key in tops if self.free(self.model[key], person)]
        newer = [(action, key) for action, key in own if action >= last and (action, key) not in counting]
        try:
            undone = self.store.undo(person, person)
        except DecisionError as error:
            assert not expected
            assert error.reason == ("held" if tops else "undo_changed" if own else "nothing_to_undo")
            return
        assert sorted(undone.keys) == sorted(expected)
        assert undone.held == len(tops) - len(expected)
        assert undone.overruled == len({key for _, key in newer})
        for key in undone.keys:
            self.model[key].stack.pop()
            self.model[key].holder = None
            self.ids[key].pop()

    # --- what must always hold -----------------------------------------------------------------------------

    @invariant()
    def the_store_is_where_the_model_is(self) -> None:
        if not hasattr(self, "store"):
            return
        found = everything(self.store)
        assert set(found) == set(self.model)
        for key, item in found.items():
            entry = self.model[key]
            assert item.state == entry.state
            standing = item.standing and (item.standing.person, item.standing.decision, item.standing.code)
            assert standing == (entry.stack[-1][:3] if entry.stack else None)
        for person in PEOPLE:
            held = sum(entry.state == "pending" and not self.free(entry, person) for entry in self.model.values())
            assert self.store.held(Filter(), person) == held

    def teardown(self) -> None:
        if hasattr(self, "store"):
            check_agrees(self.store)


def test_the_store_does_what_a_dictionary_does(make_store, clock) -> None:
    machine = type("Machine", (Moderators,), {"make": staticmethod(make_store), "clock": clock})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
