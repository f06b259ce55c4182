"""`cluster-agent`: what the control plane does in Kubernetes for its workers; runs for ever.

It runs on every API server, and acts where kube-controller-manager leads: one lease says which
machine does both. Everything that it does may be done twice, so that an old leader that has not
noticed yet does no harm. Each of its tasks goes on whatever comes of the others.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from node import metrics
from node.api.lease import PATH as LEASES
from node.api.lease import held_on
from node.api.release_lease import this_machine
from node.aws import ParameterStore, require_credentials
from node.cluster import (
    addons,
    bootstrap_token,
    gone_nodes,
    silent_drains,
    stranded,
    worker_metrics,
)
from node.cluster.addons import Addons
from node.cluster.applying import Applied
from node.cluster.bootstrap_token import JoinToken
from node.cluster.dns_moves import Moves
from node.cluster.kubelet_requests import NODES, Requests
from node.cluster.kubelet_requests import PATH as REQUESTS
from node.cluster.labels import SELECTOR
from node.cluster.local_api import Api
from node.cluster.manifests import Manifest, defaults, manifests
from node.cluster.parameter import TokenParameter
from node.cluster.ready_condition import ready
from node.cluster.scaling_groups import AutoScaling
from node.cluster.worker_instances import Ec2
from node.contract import INTERVAL_SECONDS, STRANDED_ANNOTATION, WorkerMetric
from node.errors import NodeError
from node.machine import Machine
from node.settings import Settings

INTERVAL = 5.0
"""Seconds between two rounds: a worker that joins waits for two decisions."""
NODES_INTERVAL = 15.0
"""Seconds between two looks at all Nodes, which are 10 KB each."""
READY_INTERVAL = 60.0
"""Seconds between two looks at whether Nodes that are ready have an instance. More than the default
of `eviction.nodeMonitorGrace`: a machine that has just ended is no longer ready at the second."""
DOCUMENT_INTERVAL = 60.0
"""Seconds between two looks at what the stack wants."""
TOKEN_INTERVAL = 60.0
"""Seconds between two looks at the join token."""
PARAMETER_INTERVAL = 300.0
"""Seconds between two looks at whether the join token's parameter still holds it."""
NODES_OLD = 60.0
"""Seconds after which nothing is told of Nodes that could not be read again."""
METRICS_INTERVAL = float(INTERVAL_SECONDS)
"""Seconds between two times that CloudWatch is told of workers: as every node tells it, so that no
minute of an alarm is without a value."""

RETRY = 15.0
"""Seconds until a task is tried again that failed; those of every round are tried in the next."""

LEADER = "kube-controller-manager"


def run(settings: Settings, _machine: Machine) -> str:
    """Act until the process is ended. NodeError at the start without credentials of AWS."""
    require_credentials()
    agent = Agent(settings, Ec2(settings.region, settings.cluster))
    while True:
        began = time.monotonic()
        for line in agent.round(began):
            print(line, flush=True)
        time.sleep(max(0.0, began + INTERVAL - time.monotonic()))


@dataclass
class _Term:
    """What is remembered while this machine leads."""

    requests: Requests
    applied: Applied = field(default_factory=Applied)
    addons: Addons | None = None
    nodes: list[Any] | None = None
    nodes_at: float = 0.0
    """When they were read."""
    gone: frozenset[str] = frozenset()
    posing: frozenset[str] = frozenset()
    """Instances that are no more, though their Nodes are ready, at the last look."""
    deleted: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Instances whose Node was deleted lately: its name, and when."""
    unheard: frozenset[str] = frozenset()
    unready: worker_metrics.Unready = field(default_factory=worker_metrics.Unready)
    shortages: worker_metrics.Shortages = field(default_factory=worker_metrics.Shortages)
    moves: Moves = field(default_factory=Moves)
    cordoned_since: float | None = None
    """When all Nodes were found cordoned; None while some take pods."""
    published: JoinToken | None = None
    published_at: float = 0.0
    last: dict[str, float] = field(default_factory=dict)


class Agent:
    """The agent of one API server."""

    def __init__(self, settings: Settings, ec2: Ec2) -> None:
        self._settings, self._ec2 = settings, ec2
        self._scaling = AutoScaling(settings.region)
        self._store = ParameterStore(settings.region)
        self._token = TokenParameter(settings.region, settings.parameters["joinToken"])
        self._term: _Term | None = None
        self._trouble: dict[str, str] = {}

    def round(self, now: float) -> list[str]:
        """Do what is due at a time of time.monotonic(); lines for the journal."""
        try:
            # A certificate that was renewed counts from the next round.
            api = Api(self._settings.pki)
            leads = held_on(this_machine(self._settings), api.get(LEASES + LEADER))
        except NodeError as error:
            return self._troubles("leadership", str(error))
        said = self._troubles("leadership", "")
        if not leads:
            if self._term:
                self._term, self._trouble = None, {}
                said.append(f"{LEADER} leads on another machine: standing by")
            return said
        if not self._term:
            self._term = _Term(Requests(self._ec2, self._settings.region))
            said.append(f"{LEADER} leads on this machine: acting")
        return [*said, *self._tasks(api, self._term, now)]

    def _tasks(self, api: Api, term: _Term, now: float) -> Iterator[str]:
        """Lines of the tasks that are due; what one did before it failed is told, too."""
        tasks: tuple[tuple[str, float, Callable[[Api, _Term, float], Iterable[str]]], ...] = (
            ("what the stack wants", DOCUMENT_INTERVAL, self._read_addons),
            ("join token", TOKEN_INTERVAL, self._keep_token),
            ("certificate requests", 0.0, self._decide_requests),
            ("nodes", NODES_INTERVAL, self._remove_nodes),
            ("ready nodes", READY_INTERVAL, self._remove_posing),
            ("stranded drains", NODES_INTERVAL, self._tell_stranded),
            ("drains of silent workers", NODES_INTERVAL, self._end_drains),
            ("objects", 0.0, self._keep_objects),
            ("default objects", 0.0, self._offer_objects),
            ("objects no longer wanted", 0.0, self._prune_objects),
            ("spread of CoreDNS", NODES_INTERVAL, self._spread_dns),
            # The last: whatever is late here is late for people alone.
            ("numbers of workers", METRICS_INTERVAL, self._send_metrics),
        )
        for name, interval, task in tasks:
            if now - term.last.get(name, -interval) < interval:
                continue
            try:
                yield from task(api, term, now)
            except NodeError as error:
                # Soon again, but not in every round: an AWS that does not answer takes 20 s.
                term.last[name] = now - max(0.0, interval - RETRY)
                yield from self._troubles(name, str(error))
            else:
                term.last[name] = now
                yield from self._troubles(name, "")

    def _troubles(self, name: str, trouble: str) -> list[str]:
        """A line when a trouble is new, or over."""
        before, self._trouble[name] = self._trouble.get(name, ""), trouble
        if trouble == before:
            return []
        return [f"{name}: {trouble}" if trouble else f"{name}: works again"]

    def _read_addons(self, _api: Api, term: _Term, _now: float) -> list[str]:
        term.addons = addons.parse(self._store.get(self._settings.parameters["cluster"]))
        return []

    def _keep_token(self, api: Api, term: _Term, now: float) -> Iterator[str]:
        if term.addons is None:
            return
        ours = {"fieldSelector": f"type={bootstrap_token.TYPE}", "labelSelector": SELECTOR}
        found = api.get(bootstrap_token.SECRETS, **ours)
        token = bootstrap_token.newest(found["items"])
        if token is None or bootstrap_token.due(token, datetime.now(UTC)):
            token = bootstrap_token.new(datetime.now(UTC))
            api.create(bootstrap_token.SECRETS, token.manifest)
            yield f"made join token {token.id}, until {token.expires:%H:%M:%S} UTC"
        if token == term.published and now - term.published_at < PARAMETER_INTERVAL:
            return
        if not bootstrap_token.same(token, self._token.read()):
            self._token.write(token, term.addons.key)
            yield f"stored join token {token.id}"
        term.published, term.published_at = token, now

    def _decide_requests(self, api: Api, term: _Term, _now: float) -> list[str]:
        return term.requests.decide(api)

    def _remove_nodes(self, api: Api, term: _Term, now: float) -> Iterator[str]:
        term.nodes, term.nodes_at = api.get(NODES, resourceVersion="0")["items"], now
        silent = gone_nodes.silent(term.nodes, self._settings.region)
        gone = gone_nodes.gone(silent, self._ec2.states(silent)) if silent else set()
        certain = gone_nodes.certain(gone, term.gone)
        term.gone = frozenset(gone - certain)
        return _delete(api, term, {one: silent[one] for one in certain}, now)

    def _remove_posing(self, api: Api, term: _Term, now: float) -> Iterator[str]:
        awake = gone_nodes.awake(term.nodes or (), self._settings.region)
        states = self._ec2.states(awake) if awake else {}
        posing = gone_nodes.posing(awake, states, datetime.now(UTC))
        certain = gone_nodes.certain(posing, term.posing)
        term.posing = frozenset(posing - certain)
        return _delete(api, term, {one: awake[one] for one in certain}, now)

    def _tell_stranded(self, api: Api, term: _Term, now: float) -> Iterator[str]:
        nodes = term.nodes or []
        if not stranded.everywhere(nodes):
            term.cordoned_since = None
        elif term.cordoned_since is None:
            term.cordoned_since = now
        seconds = None if term.cordoned_since is None else now - term.cordoned_since
        # No successor is waited for when none will come. AWS is asked while a Node waits to be
        # told; once the time is over, it is told whatever AWS says.
        waits = (
            seconds is not None
            and seconds < stranded.SECONDS
            and any(stranded.changes(nodes, stranded.SECONDS))
        )
        if waits and not any(one.desired for one in self._scaling.groups(self._settings.cluster)):
            seconds = stranded.SECONDS
        for node, value in stranded.changes(nodes, seconds):
            name = node["metadata"]["name"]
            api.annotate(f"{NODES}/{name}", node["metadata"]["uid"], STRANDED_ANNOTATION, value)
            yield f"told {name} that {'no' if value else 'some'} other node takes pods"

    def _end_drains(self, _api: Api, term: _Term, now: float) -> Iterator[str]:
        unheard = silent_drains.unheard(term.nodes or (), self._settings.region)
        hopeless = silent_drains.hopeless(unheard, term.unheard)
        term.unheard = frozenset(unheard)
        # EC2 may have called it terminated before its Node was unheard: there is none any more.
        term.deleted = silent_drains.lately(term.deleted, now)
        over = {one: f"{name}: {one} is gone" for one, (name, _) in term.deleted.items()}
        for one in hopeless:
            over[one] = f"{unheard[one]['metadata']['name']}: {one} is silent"
        for instance, group in self._scaling.waiting(over).items():
            if self._scaling.complete(instance, group):
                yield f"ended the drain of {over[instance]}"

    def _spread_dns(self, api: Api, term: _Term, now: float) -> list[str]:
        return term.moves.step(api, term.nodes, now) if term.nodes else []

    def _send_metrics(self, api: Api, term: _Term, now: float) -> list[str]:
        """Tell CloudWatch of workers, from the machine that leads alone.

        What is not known is not sent: a value that was made up would silence an alarm. Raises
        nothing, as what failed is not to be tried sooner than ever: an AWS that does not answer
        takes the approvals' time.
        """
        numbers, troubles = self._numbers(api, term, now)
        if numbers and (trouble := metrics.publish(self._settings, numbers)):
            troubles.append(trouble)
        return self._troubles("metrics", "; ".join(troubles))

    def _numbers(self, api: Api, term: _Term, now: float) -> tuple[dict[str, float], list[str]]:
        """By name of metric, and why some are not known. Requests do not wait for AWS."""
        numbers: dict[str, float] = {}
        troubles: list[str] = []
        nodes, region, clock = term.nodes, self._settings.region, datetime.now(UTC)
        if nodes is None or now - term.nodes_at > NODES_OLD:
            return numbers, troubles
        try:
            requests = api.get(REQUESTS, resourceVersion="0")["items"]
            numbers[WorkerMetric.UNDECIDED_REQUEST_SECONDS] = worker_metrics.undecided_seconds(
                requests, nodes, region, clock
            )
        except NodeError as error:
            troubles.append(str(error))
        try:
            groups = self._scaling.groups(self._settings.cluster)
            numbers[WorkerMetric.NOT_READY_SECONDS] = term.unready.seconds(
                groups, nodes, region, clock
            )
            numbers[WorkerMetric.MISSING_SECONDS] = term.shortages.seconds(groups, now)
        except NodeError as error:
            troubles.append(f"Auto Scaling groups: {error}")
        return numbers, troubles

    def _keep_objects(self, api: Api, term: _Term, now: float) -> Iterable[str]:
        return term.applied.keep(api, _wanted(term) or (), now)

    def _offer_objects(self, api: Api, term: _Term, now: float) -> Iterable[str]:
        return term.applied.offer(api, defaults(), now) if term.addons else ()

    def _prune_objects(self, api: Api, term: _Term, now: float) -> Iterable[str]:
        wanted = _wanted(term)
        return () if wanted is None else term.applied.prune(api, wanted, now)


def _wanted(term: _Term) -> list[Manifest] | None:
    """Objects to keep; None while nobody knows what the stack wants, or which Nodes there are."""
    if term.addons is None or term.nodes is None:
        return None
    return manifests(term.addons, term.nodes)


def _delete(api: Api, term: _Term, nodes: Mapping[str, Any], now: float) -> Iterator[str]:
    """Delete Nodes, by the id of their instance, which is gone."""
    for instance, node in sorted(nodes.items()):
        metadata = node["metadata"]
        api.delete(f"{NODES}/{metadata['name']}", metadata["uid"])
        term.deleted[instance] = metadata["name"], now
        was = ", and the Node was ready" if ready(node) else ""
        yield f"deleted Node {metadata['name']}: {instance} is gone{was}"
