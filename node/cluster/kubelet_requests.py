"""Certificate requests of kubelets at the API server: read, checked against EC2, decided."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from node.cluster.approval import Decision, Outcome, claimed_name, decide, pending
from node.cluster.local_api import Api
from node.cluster.worker_instances import Ec2

PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
NODES = "/api/v1/nodes"


class Requests:
    """The requests that wait, each of which is spoken of once."""

    def __init__(self, ec2: Ec2, region: str) -> None:
        self._ec2, self._region = ec2, region
        self._said: dict[str, str] = {}

    def decide(self, api: Api) -> list[str]:
        """Decide about those that can be decided; what was done, and what is waited for."""
        waiting = {
            one["metadata"]["name"]: name
            for one in api.get(PATH, resourceVersion="0")["items"]
            if pending(one) and (name := claimed_name(one)) is not None
        }
        self._said = {key: text for key, text in self._said.items() if key in waiting}
        if not waiting:
            return []
        instances = self._ec2.workers(set(waiting.values()) - {""})
        said = []
        for key, name in waiting.items():
            # Again, since a list from the cache may be older than a decision.
            request = api.find(f"{PATH}/{key}")
            if request is None or not pending(request):
                continue
            node = api.find(f"{NODES}/{name}") if name in instances else None
            age = (datetime.now(UTC) - _created(request)).total_seconds()
            decision = decide(request, instances.get(name), node, age, self._region)
            if decision:
                said += self._carry_out(api, request, name, decision)
        return said

    def _carry_out(
        self, api: Api, request: Mapping[str, Any], name: str, decision: Decision
    ) -> list[str]:
        key = request["metadata"]["name"]
        if decision.outcome is not Outcome.WAIT:
            api.replace(f"{PATH}/{key}/approval", _decided(request, decision))
        sentence = (
            f"{decision.outcome.lower()} {key} of {name or 'nobody'} for "
            f"{request['spec']['signerName']}: {decision.reason}"
        )
        before, self._said[key] = self._said.get(key), sentence
        return [sentence] if sentence != before else []


def _created(request: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(request["metadata"]["creationTimestamp"])


def _decided(request: Mapping[str, Any], decision: Decision) -> dict[str, Any]:
    condition = {
        "type": decision.outcome.value,
        "status": "True",
        "reason": "HaKubernetesClusterAgent",
        "message": decision.reason,
    }
    return {**request, "status": {"conditions": [condition]}}
