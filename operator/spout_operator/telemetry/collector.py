"""Metrics that are read off the operator's state when they are asked for; nothing is kept twice.

Used from the event loop only, as is the state.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from spout_operator.controller.controller import Controller
from spout_operator.core.facts import Facts
from spout_operator.core.status.health import TRUE
from spout_operator.telemetry.metrics import PREFIX

#: Name, help, and how it is read off a Spout; what is not there yet is left out.
GAUGES: tuple[tuple[str, str, Callable[[Facts], float | None]], ...] = (
    ("spout_ready", "1 if the pipeline does what the Spout asks.", lambda spout: float(spout.ready[0] == TRUE)),
    ("spout_stalled", "1 if a person must act.", lambda spout: float(spout.stalled)),
    (
        "spout_fresh",
        "1 if the newest commit is not older than spec.freshness.maxCommitAge, 0 if it is.",
        lambda spout: None if spout.fresh is None else float(spout.fresh),
    ),
    (
        "spout_marker_stalled",
        "1 if the spout commits and its marker does not move.",
        lambda spout: None if spout.marker_stalled is None else float(spout.marker_stalled),
    ),
    (
        "spout_output_stalled",
        "1 if the marker moves and the spout commits no data.",
        lambda spout: None if spout.output_stalled is None else float(spout.output_stalled),
    ),
    ("spout_suspended", "1 if spec.suspend is true.", lambda spout: float(spout.suspended)),
    (
        "spout_last_commit_timestamp_seconds",
        "When the newest finished commit was finished.",
        lambda spout: spout.last_commit,
    ),
    ("spout_marker_timestamp_seconds", "When the marker last moved.", lambda spout: spout.marker_moved),
)
LABELS = ("namespace", "name")
#: Letters of Pachyderm's version; as many as the status takes.
LONGEST_VERSION = 64


class StateCollector(Collector):
    """What a controller knows: its queues, its Pachyderm, and its Spouts, of which so many get series of their own."""

    def __init__(
        self, controller: Controller, *, limit: int, watch_troubles: Callable[[], Mapping[str | None, str | None]]
    ) -> None:
        self._controller = controller
        self._limit = limit
        self._watch_troubles = watch_troubles

    def collect(self) -> Iterable[Metric]:
        """All families, made anew."""
        yield from self._operator()
        spouts = self._controller.spouts()
        yield self._by_readiness(spouts)
        # By name, so that the same ones are shown at each scrape.
        chosen = sorted(spouts, key=lambda spout: spout.key)[: self._limit]
        yield GaugeMetricFamily(
            f"{PREFIX}_spouts_without_series",
            "The number of Spouts beyond --spout-metrics-limit, which have no metrics of their own.",
            value=len(spouts) - len(chosen),
        )
        yield from _per_spout(chosen)

    def _operator(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily(
            f"{PREFIX}_queue_depth", "Spouts that are due and wait for a worker.", labels=["queue"]
        )
        oldest = GaugeMetricFamily(
            f"{PREFIX}_queue_oldest_wait_seconds",
            "How long the Spout that has been due longest has waited for a worker; 0 if none is due.",
            labels=["queue"],
        )
        for name, queue in self._controller.queues.items():
            depth.add_metric([name], queue.depth)
            oldest.add_metric([name], queue.oldest_wait)
        yield from (depth, oldest)
        watched = GaugeMetricFamily(
            f"{PREFIX}_watch_up",
            "1 if the operator watches the Spouts of a namespace, 0 if it cannot; '*' is all namespaces.",
            labels=["watched_namespace"],
        )
        for namespace, trouble in self._watch_troubles().items():
            watched.add_metric([namespace or "*"], float(trouble is None))
        yield watched
        poller = self._controller.poller
        if poller.is_reached is not None:
            yield GaugeMetricFamily(
                f"{PREFIX}_pachyderm_up",
                "1 if Pachyderm answered the last poll, 0 if it did not or refused the operator.",
                value=float(poller.is_reached),
            )
        if poller.version is not None:
            info = GaugeMetricFamily(
                f"{PREFIX}_pachyderm_info",
                "Always 1. The label says which Pachyderm answered last.",
                labels=["pachyderm_version"],
            )
            # What follows the three numbers is the server's own: a series has no use for a long text.
            info.add_metric([poller.version[:LONGEST_VERSION]], 1)
            yield info
        if poller.last_success is not None:
            yield GaugeMetricFamily(
                f"{PREFIX}_last_poll_timestamp_seconds",
                "When Pachyderm last answered a poll.",
                value=poller.last_success,
            )

    def _by_readiness(self, spouts: Iterable[Facts]) -> Metric:
        family = GaugeMetricFamily(
            f"{PREFIX}_spouts",
            "The number of Spouts, by status and reason of their Ready condition.",
            labels=["ready", "reason"],
        )
        for (status, reason), count in sorted(Counter(spout.ready for spout in spouts).items()):
            family.add_metric([status, reason], count)
        return family


def _per_spout(spouts: Collection[Facts]) -> Iterator[Metric]:
    for name, text, read in GAUGES:
        gauge = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=LABELS)
        for spout in spouts:
            value = read(spout)
            if value is not None:
                gauge.add_metric((spout.key.namespace, spout.key.name), value)
        yield gauge
    commits = CounterMetricFamily(f"{PREFIX}_spout_commits", "Finished commits of the output branch.", labels=LABELS)
    for spout in spouts:
        if spout.commits is not None:
            commits.add_metric((spout.key.namespace, spout.key.name), spout.commits)
    yield commits
