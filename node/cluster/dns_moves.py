"""Move replicas of CoreDNS, one at a time, to where the scheduler would put them now."""

from collections.abc import Iterable, Mapping
from typing import Any

from node.cluster.dns_spread import Leaving, Spread, spread
from node.cluster.local_api import Api
from node.cluster.manifests.cluster_dns import NAME, NAMESPACE, SELECTOR

STEADY_SECONDS = 30.0
"""That the same replica has to move for: workers that join one after the other are waited for, and
one that comes and goes draws none."""

DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_SELECTOR = ",".join(f"{key}={value}" for key, value in SELECTOR.items())


class Moves:
    """What is remembered from one look to the next."""

    def __init__(self) -> None:
        self._since: tuple[Leaving, float] | None = None
        """The replica that has to move, and since when."""
        self._made: Spread | None = None
        """How it was before the last move; None once all are spread well."""
        self._refused = ""

    def step(self, api: Api, nodes: Iterable[Mapping[str, Any]], now: float) -> list[str]:
        """Evict a replica when it is time to; lines for the journal."""
        deployment = api.find(DEPLOYMENT)
        if deployment is None:
            return []
        found = spread(deployment, api.get(PODS, labelSelector=_SELECTOR)["items"], nodes)
        if found and not found.leaving:
            self._made = None
        if not found or not found.leaving or not self._helps(found):
            self._since, self._refused = None, ""
            return []
        if self._since is None or self._since[0] != found.leaving:
            self._since, self._refused = (found.leaving, now), ""
        if now - self._since[1] < STEADY_SECONDS:
            return []
        return self._evict(api, found, found.leaving)

    def _evict(self, api: Api, found: Spread, leaving: Leaving) -> list[str]:
        refused = api.evict(f"{PODS}/{leaving.name}", leaving.uid)
        if not refused:
            self._made, self._since, self._refused = found, None, ""
            return [f"evicted {leaving.name} from {leaving.place.host}: others have fewer replicas"]
        if refused == self._refused:
            return []
        self._refused = refused
        return [f"{leaving.name} stays on {leaving.place.host} for now: {refused}"]

    def _helps(self, found: Spread) -> bool:
        """Whether the last move helped, as far as it was one among the same places.

        Otherwise something that is not known here keeps replicas away from there, and to evict
        them again and again would be worse than any spread.
        """
        made = self._made
        return (
            made is None
            or (made.template, made.places) != (found.template, found.places)
            or found.badness < made.badness
        )
