"""The page of files as its tests meet it: a visitor, a home of its own, jobs done in this process."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from streamlit.testing.v1 import AppTest

from batch.classify import Done, Plan, Rows, classify_chunk
from batch.jobs import Job
from batch.runner import run_job
from batch.store import JobStore
from settings import ROOT

VISITOR = "visitor-" + "v" * 32


def opened(job: Job | None = None, owner: str = VISITOR, language: str = "fr") -> AppTest:
    """The page, on a job or on the list."""
    page = AppTest.from_file(ROOT / "pages" / "batch.py", default_timeout=120)
    page.session_state["batch_owner"] = owner
    page.session_state["app_language"] = language
    if job is not None:
        page.query_params["job"] = job.id
    return page.run()


def sent(page: AppTest, data: bytes, name: str = "produits.csv", field: str = "batch_table") -> AppTest:
    uploader = next(widget for widget in page.file_uploader if widget.key.startswith(f"{field}_upload_"))
    return uploader.set_value((name, data, "application/octet-stream")).run()


def only_job(home: Path, owner: str = VISITOR) -> Job:
    [job] = JobStore(home).owned_by(owner)
    return job


def inline(plan: Plan, chunks: Iterator[tuple[int, Rows]], workers: int | None) -> Iterator[Done | None]:
    """`batch.local.run_local` without its processes."""
    for number, rows in chunks:
        yield classify_chunk(plan, number, rows)


def run_here(job: Job, home: Path) -> None:
    """In the place of the process that a server starts."""
    run_job(job, home, alone=False)


def copied(job: Job, home: Path) -> Job:
    """The job in another home."""
    target = home / "jobs" / job.id
    shutil.copytree(job.folder, target)
    return Job(target)


def told(page: AppTest) -> str:
    """All that is written outside widgets."""
    kinds = (page.markdown, page.caption, page.warning, page.error, page.info, page.success, page.subheader, page.code)
    metrics = [f"{metric.label}: {metric.value}" for metric in page.metric]
    return plain("\n".join([element.value for kind in kinds for element in kind] + metrics))


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: plain(metric.value) for metric in page.metric}


def plain(text: str) -> str:
    """With every blank an ordinary one."""
    return re.sub(r"[\u00a0\u202f]", " ", text)


def keyed(elements, start: str):
    """The first element whose key begins so."""
    return next(element for element in elements if (element.key or "").startswith(start))


def charts(page: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in page.get("vega_lite_chart")]
