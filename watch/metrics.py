"""What this process counts for Prometheus; what the shared store says is read when it is asked (`watch.store_metrics`).

Names, labels and buckets are settled here; every set of labels is bounded by the code, never by what is sent.
"""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from model.observed import CONFIDENCE

# When a counter began is said by process_start_time_seconds, once.
disable_created_metrics()
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """A registry and what is in it. Safe to share between threads."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "rayon_requests", "Requests answered, by route, method and status", ["route", "method", "status"],
            registry=registry,
        )  # fmt: skip
        self.request_seconds = Histogram(
            "rayon_request_seconds", "Seconds until a request was answered whole", ["route", "method"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.windows = Gauge("rayon_windows", "Windows of browsers connected (web sockets)", registry=registry)
        self.classifications = Counter(
            "rayon_classifications", "Products classified by this replica, by source and first category",
            ["source", "category"], registry=registry,
        )  # fmt: skip
        self.confidence = Histogram(
            "rayon_confidence", "Confidence of answers", ["source"], buckets=(*CONFIDENCE[1:], 1), registry=registry
        )
        self.classifier_seconds = Histogram(
            "rayon_classifier_seconds", "Seconds the classifier took for a product", ["source"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.explanations = Counter("rayon_explanations", "Explanations made", ["source"], registry=registry)
        self.refused = Counter(
            "rayon_refused", "Inputs and requests refused, by reason", ["source", "reason"], registry=registry
        )
        self.overload = Counter("rayon_overload", "Requests sent away because all places were taken", registry=registry)
        self.ready = Gauge("rayon_ready", "1 when the model answers right and the store is reached", registry=registry)
        ProcessCollector(registry=registry)


@lru_cache(maxsize=1)
def metrics() -> Metrics:
    """Those of this process."""
    return Metrics()
