"""What the database and the home that replicas share say, as metrics: the same from every replica.

Read when Prometheus asks, and kept for some seconds; a database out of reach gives `rayon_store_up` 0 and leaves out
what it holds.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine, func, select

from decisions.database import reading
from decisions.errors import DecisionError
from decisions.items import STATES
from decisions.tables import decisions, items
from model.bundle_files import BundleError, read_manifest
from model.decision_format import DECISIONS
from model.versions import active_bundle
from watch.looking import JUDGED, active_reference, look
from watch.observations import totals

JOB_STATES = ("draft", "waiting", "running", "done", "cancelled", "failed")
KEPT_SECONDS, DRIFT_SECONDS = 10, 300
log = logging.getLogger(__name__)


class StoreMetrics(Collector):
    """``engine`` opens the database; ``jobs`` gives the number of batch jobs by state."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        jobs: Callable[[], Mapping[str, int]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._jobs, self._clock = engine, jobs, clock
        self._kept: list[Metric] = []
        self._until = self._drift_until = float("-inf")
        self._drift: list[Metric] = []
        self._lock = threading.Lock()

    def describe(self) -> list[Metric]:
        """Every metric, without values: also what a registry needs so as not to ask the database for their names."""
        return [*_model_metrics(), *_job_metrics(), *_queue_metrics(), *_drift_metrics(), _up()]

    def collect(self) -> list[Metric]:
        """What is known now; raises nothing."""
        with self._lock:
            if self._clock() >= self._until:
                self._kept = [*self._read(), *self._drift]
                self._until = self._clock() + KEPT_SECONDS
            return self._kept

    def _read(self) -> Iterable[Metric]:
        up = _up()
        found = [*self._safely("model", self._model), *self._safely("jobs", self._of_jobs)]
        try:
            engine = self._engine()
            found += self._safely("queue", partial(self._of_queue, engine))
            if self._clock() >= self._drift_until:
                self._drift = self._safely("drift", partial(self._of_drift, engine))
                self._drift_until = self._clock() + DRIFT_SECONDS
            up.add_metric([], 1)
        except DecisionError as error:
            log.warning("the store is out of reach: %s", error)
            self._drift, self._drift_until = [], float("-inf")
            up.add_metric([], 0)
        return [*found, up]

    @staticmethod
    def _safely(what: str, read: Callable[[], list[Metric]]) -> list[Metric]:
        try:
            return read()
        except DecisionError:  # of the database, and told as that
            raise
        except (OSError, BundleError) as error:
            log.warning("no metrics of the %s: %s", what, error)
        except Exception:  # one part that fails must not take the others with it
            log.exception("no metrics of the %s", what)
        return []

    def _model(self) -> list[Metric]:
        [info] = _model_metrics()
        manifest = read_manifest(active_bundle())
        info.add_metric([str(manifest["name"]), manifest["version"]], 1)
        return [info]

    def _of_jobs(self) -> list[Metric]:
        [metric], counts = _job_metrics(), self._jobs()
        for state in JOB_STATES:
            metric.add_metric([state], counts.get(state, 0))
        return [metric]

    @staticmethod
    def _of_queue(engine: Engine) -> list[Metric]:
        queue, taken, classified = _queue_metrics()
        with reading(engine) as connection:
            states = dict(connection.execute(select(items.c.state, func.count()).group_by(items.c.state)).all())
            kinds = select(decisions.c.decision, func.count()).group_by(decisions.c.decision)
            verdicts = dict(connection.execute(kinds).all())
        for state in STATES:
            queue.add_metric([state], states.get(state, 0))
        for verdict in DECISIONS:
            taken.add_metric([verdict], verdicts.get(verdict, 0))
        for (source, category), number in sorted(totals(engine).items()):
            classified.add_metric([source, category], number)
        return [queue, taken, classified]

    @staticmethod
    def _of_drift(engine: Engine) -> list[Metric]:
        flag, bits = _drift_metrics()
        model, report = active_reference()
        if model:
            seen = look(engine, model, report, datetime.now(UTC).date())
            for one in seen.drift.comparisons if seen.drift else ():
                if one.measure in JUDGED["model"]:
                    flag.add_metric([one.measure], one.flag)
                    bits.add_metric([one.measure], one.bits)
        return [flag, bits]


def _model_metrics() -> list[Metric]:
    return [GaugeMetricFamily("rayon_model_info", "The model in use", labels=["name", "version"])]


def _job_metrics() -> list[Metric]:
    return [GaugeMetricFamily("rayon_jobs", "Batch jobs, by state", labels=["state"])]


def _queue_metrics() -> list[Metric]:
    return [
        GaugeMetricFamily("rayon_queue_products", "Products in the moderators' queue, by state", labels=["state"]),
        CounterMetricFamily(
            "rayon_decisions", "Decisions in the log, by verdict: accepted agrees with the model", labels=["verdict"]
        ),
        CounterMetricFamily(
            "rayon_observed", "Products classified by all, batches included, by source and first category",
            labels=["source", "category"],
        ),
    ]  # fmt: skip


def _drift_metrics() -> list[Metric]:
    return [
        GaugeMetricFamily(
            "rayon_drift", "Last 7 days against the model's reference: 0 stable, 1 watch, 2 drift, -1 too few",
            labels=["measure"],
        ),
        GaugeMetricFamily(
            "rayon_drift_distance", "Jensen-Shannon divergence from the reference, less chance", labels=["measure"]
        ),
    ]  # fmt: skip


def _up() -> Metric:
    return GaugeMetricFamily("rayon_store_up", "1 when the database was reached at the last look")
