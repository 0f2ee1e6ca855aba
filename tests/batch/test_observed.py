"""What a job counts: each part once, whatever is gone on with."""

from collections import Counter

import pytest

from batch.command import main
from batch.runner import run_job
from decisions.store import open_store
from model.observed import MEASURES
from settings import settings
from tests.batch.samples import official_rows, planned
from tests.pages.batch_page import inline
from watch.observations import counted, observations


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.setattr("batch.runner.run_local", inline)


def test_a_job_that_is_gone_on_with_counts_what_is_new(home):
    job, told = planned(home, official_rows(70)), []
    job.parts.create()

    def observe(model, seen: Counter) -> None:
        told.append((model, seen))
        if len(told) == 1:
            job.cancel()

    assert run_job(job, home, observe=observe) == "cancelled"
    done = {number: job.parts.read(number).num_rows for number in job.parts.written()}
    job.reopen()
    assert run_job(job, home, observe=observe) == "done"
    assert job.state().done == 70
    counts = sum((seen for _, seen in told), Counter())
    assert {m: sum(n for (of, _), n in counts.items() if of == m) for m in MEASURES} == dict.fromkeys(MEASURES, 70)
    assert 0 < sum(done.values()) < 70 and len(told) == 3


def test_the_process_of_a_job_adds_to_the_database(home, monkeypatch):
    monkeypatch.setenv("RAYON_HOME", str(home))
    settings.cache_clear()
    try:
        job = planned(home, official_rows(5))
        monkeypatch.setattr("batch.command.end_with_parent", lambda: None)
        monkeypatch.setattr("os.nice", lambda _: None)
        assert main(["run", str(job.folder)]) == 0
        found = counted(open_store().engine)
        assert set(found["source"]) == {"batch"} and set(found["model"]) == {job.spec.model}
        assert found[found["measure"] == "inputs"]["number"].sum() == 5
        assert observations().write()
    finally:
        open_store().engine.dispose()
        settings.cache_clear()
