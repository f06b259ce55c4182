"""Certificate requests of kubelets at the API server: read, checked against EC2, decided."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from node.cluster.approval import Decision, Outcome, by_token, claimed_name, decide, pending
from node.cluster.claims import Claim, claims, created, objection, too_early
from node.cluster.local_api import Api
from node.cluster.worker_instances import Ec2, WorkerInstance
from node.errors import NodeError

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
        # All of now: who else asks for a name may have done so since the cache's list.
        claimed = claims(api.get(PATH)["items"])
        said = []
        for key, name in waiting.items():
            try:
                said += self._decide(api, key, name, instances.get(name), claimed.get(name, ()))
            except NodeError as error:
                # The others do not wait for it, since anybody with a token can make one.
                said += self._say(key, f"could not decide about {_shown(key)}: {error}")
        return said

    def _decide(
        self,
        api: Api,
        key: str,
        name: str,
        instance: WorkerInstance | None,
        claimed: Sequence[Claim],
    ) -> list[str]:
        # Again, since a list from the cache may be older than a decision.
        request = api.find(_path(key))
        if request is None or not pending(request):
            return []
        node = api.find(f"{NODES}/{name}") if instance else None
        age = (datetime.now(UTC) - created(request)).total_seconds()
        against = ""
        if instance and by_token(request["spec"]):
            against = objection(request, claimed, instance)
        elif instance:
            against = too_early(request, instance)
        decision = decide(request, instance, node, age, self._region, objection=against)
        return self._carry_out(api, request, name, decision) if decision else []

    def _carry_out(
        self, api: Api, request: Mapping[str, Any], name: str, decision: Decision
    ) -> list[str]:
        key = request["metadata"]["name"]
        if decision.outcome is not Outcome.WAIT:
            api.replace(f"{_path(key)}/approval", _decided(request, decision))
        sentence = (
            f"{decision.outcome.lower()} {_shown(key)} of {name or 'nobody'} for "
            f"{request['spec']['signerName']}: {decision.reason}"
        )
        return self._say(key, sentence)

    def _say(self, key: str, sentence: str) -> list[str]:
        before, self._said[key] = self._said.get(key), sentence
        return [sentence] if sentence != before else []


def _path(key: str) -> str:
    return f"{PATH}/{_shown(key)}"


def _shown(key: str) -> str:
    """The name of a request, in which whoever makes it may have any character but `/` and `%`."""
    return quote(key, safe=":")


def _decided(request: Mapping[str, Any], decision: Decision) -> dict[str, Any]:
    condition = {
        "type": decision.outcome.value,
        "status": "True",
        "reason": "HaKubernetesClusterAgent",
        "message": decision.reason,
    }
    return {**request, "status": {"conditions": [condition]}}
