"""The metrics of this process, read from the objects that count when Prometheus asks."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from streamlit import runtime
from streamlit.runtime.stats import (
    ACTIVE_SESSIONS_FAMILY,
    SESSION_EVENTS_FAMILY,
    CounterStat,
    GaugeStat,
)

from explorer.page.cache import RESULT_CACHE
from explorer.page.durations import BOUNDS, Durations
from explorer.page.limiter import LONG_WORK_LIMITER, WORK_LIMITER
from explorer.page.run_times import RUN_TIMES
from explorer.page.trainings import TRAINING_LIMITER
from explorer.server.refusals import REFUSALS, Refusal

LIMITERS = {"work": WORK_LIMITER, "long_work": LONG_WORK_LIMITER, "training": TRAINING_LIMITER}


def registry() -> CollectorRegistry:
    """Return the registry of all metrics; on Linux with memory and time of the process."""
    found = CollectorRegistry(auto_describe=True)  # so that a request can name metrics
    found.register(PageMetrics())
    ProcessCollector(registry=found)
    return found


class PageMetrics(Collector):
    """The metrics of page and server."""

    def collect(self) -> Iterator[Metric]:
        """Yield every metric with its present values."""
        connected, opened = _sessions()
        yield GaugeMetricFamily("explorer_sessions", "Sessions that are connected.", connected)
        yield CounterMetricFamily(
            "explorer_sessions_opened", "Sessions that were opened since the start.", opened
        )
        yield from _limiters()
        runs = HistogramMetricFamily(
            "explorer_run_seconds", "Time of a run of the page.", labels=["outcome"]
        )
        for outcome, durations in RUN_TIMES.items():
            _add(runs, outcome, durations)
        yield runs
        refusals = CounterMetricFamily(
            "explorer_refusals", "Requests that were refused.", labels=["kind"]
        )
        for kind in Refusal:
            refusals.add_metric([kind], REFUSALS[kind])
        refusals.add_metric(["computation"], sum(each.refused for each in LIMITERS.values()))
        yield refusals
        yield GaugeMetricFamily(
            "explorer_result_cache_bytes",
            "Results in memory, as they count against the limit.",
            RESULT_CACHE.size(),
        )


def _sessions() -> tuple[float, float]:
    """Return the number of sessions that are connected, and of those opened since the start."""
    if not runtime.exists():
        return 0, 0
    families = (ACTIVE_SESSIONS_FAMILY, SESSION_EVENTS_FAMILY)
    stats = runtime.get_instance().stats_mgr.get_stats(family_names=families)
    values = {
        (family, (each.labels or {}).get("type")): each.value
        for family in families
        for each in stats[family]
        if isinstance(each, CounterStat | GaugeStat)
    }
    return values[ACTIVE_SESSIONS_FAMILY, None], values[SESSION_EVENTS_FAMILY, "connect"]


def _limiters() -> Iterator[Metric]:
    """Yield the metrics of the limiters."""
    label = ["limiter"]
    running = GaugeMetricFamily(
        "explorer_computations_running", "Computations that hold a slot.", labels=label
    )
    queued = GaugeMetricFamily(
        "explorer_computations_queued", "Computations that wait for a slot.", labels=label
    )
    waits = HistogramMetricFamily(
        "explorer_computation_wait_seconds", "Time until a slot was free.", labels=label
    )
    for name, limiter in LIMITERS.items():
        running.add_metric([name], limiter.running)
        queued.add_metric([name], limiter.queued)
        _add(waits, name, limiter.waits)
    yield from (running, queued, waits)


def _add(metric: HistogramMetricFamily, label: str, durations: Durations) -> None:
    counts, total = durations.totals()
    bounds = [*map(str, BOUNDS), "+Inf"]
    metric.add_metric([label], list(zip(bounds, counts, strict=True)), total)
