"""What becomes of a certificate request of a kubelet: approved, denied or left alone. Pure.

Three kinds are decided here, and every other request stays as it is, for others to decide:

    kube-apiserver-client-kubelet  of a bootstrap token of this program: the first certificate of a
                                   worker
    kube-apiserver-client-kubelet  of a kubelet, by the certificate that it has: a renewal
    kubelet-serving                of a kubelet

What a stolen token is good for, then: a certificate in the name of an instance that runs in a pool
of this cluster, has not joined yet and has not asked either (node/cluster/claims.py). No Node that
there is, no machine of the control plane, no other group. What a stolen certificate is good for:
its own name, and for no longer than it lasts once the instance has ended. Nobody here sees which
certificate a kubelet asks with, so one of an earlier instance is renewed, too, while another
instance that has its address, and with it its name, is a Node.
"""

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from node.cluster import certificate_request
from node.cluster.certificate_request import CertificateRequest
from node.cluster.worker_instances import WorkerInstance, instance_of
from node.contract import BOOTSTRAP_GROUP

CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING = "kubernetes.io/kubelet-serving"

NODES = "system:nodes"
NODE_PREFIX = "system:node:"

PATIENCE = 300.0
"""Seconds that a request waits for EC2 to show its instance: DescribeInstances is eventually
consistent, and lags behind a launch by seconds, minutes on a bad day."""

_NAME = re.compile(r"[a-z0-9.-]{1,253}")
"""Of a Node. Nothing else goes to EC2, in whose filters `*` and `?` stand for others, nor into a
path at the API server."""

_PURPOSE = {CLIENT: "client auth", SERVING: "server auth"}


class Outcome(StrEnum):
    """What is done about a request."""

    APPROVE = "Approved"
    DENY = "Denied"
    WAIT = "Waiting"


@dataclass(frozen=True)
class Decision:
    """An outcome, and why."""

    outcome: Outcome
    reason: str


def pending(request: Mapping[str, Any]) -> bool:
    """Whether nobody has decided about a CertificateSigningRequest yet."""
    return not request.get("status", {}).get("conditions")


def claimed_name(request: Mapping[str, Any]) -> str | None:
    """The name of the Node that a request is for, by what it says; empty when no Node can have it,
    and None when it is not decided here."""
    spec = request["spec"]
    if by_token(spec):
        try:
            return _node_name(parsed(spec).common_name)
        except ValueError:
            return ""
    if spec["signerName"] in _PURPOSE and NODES in spec.get("groups", ()):
        # A machine whose name is no worker's is a person's own.
        return _node_name(spec["username"]) or None
    return None


def by_token(spec: Mapping[str, Any]) -> bool:
    """Whether a request is for a first certificate, by whoever has a join token."""
    return spec["signerName"] == CLIENT and BOOTSTRAP_GROUP in spec.get("groups", ())


def _node_name(user: str) -> str:
    name = user.removeprefix(NODE_PREFIX)
    return name if user.startswith(NODE_PREFIX) and _NAME.fullmatch(name) else ""


def decide(
    request: Mapping[str, Any],
    instance: WorkerInstance | None,
    node: Mapping[str, Any] | None,
    age: float,
    region: str,
    *,
    objection: str = "",
) -> Decision | None:
    """What becomes of a request that is `age` seconds old; None when others decide.

    `instance` is the worker of the name that it claims, `node` the Node of that name, `objection`
    why it may not be the worker that asks (node/cluster/claims.py).
    """
    name, spec = claimed_name(request), request["spec"]
    if name is None:
        return None
    if instance is None and not by_token(spec):
        # A person's own machine, perhaps; a worker that has ended or is about to; or EC2 does not
        # show the instance yet.
        return Decision(Outcome.WAIT, f"{name} is no instance of a pool of this cluster that runs")
    try:
        asked = parsed(spec)
        _check(spec, asked)
    except ValueError as error:
        return Decision(Outcome.DENY, f"a kubelet's request has another form: {error}")
    if instance is None or by_token(spec):
        decision = _first(name, instance, node, age, region)
    elif asked.common_name != f"{NODE_PREFIX}{name}":
        decision = Decision(Outcome.DENY, f"{name} asks for a certificate of {asked.common_name}")
    elif spec["signerName"] == SERVING:
        decision = _serving(asked, instance)
    else:
        decision = _renewal(name, instance, node)
    if decision.outcome is Outcome.APPROVE and objection:
        return Decision(Outcome.DENY, objection)
    return decision


def parsed(spec: Mapping[str, Any]) -> CertificateRequest:
    """What a CertificateSigningRequest has in spec.request; ValueError as certificate_request."""
    return certificate_request.read(base64.b64decode(spec["request"]).decode("ascii"))


def _check(spec: Mapping[str, Any], asked: CertificateRequest) -> None:
    if asked.organization != NODES:
        raise ValueError(f"its organization is {asked.organization!r}, not {NODES}")
    if not asked.common_name.startswith(NODE_PREFIX):
        raise ValueError(f"its common name is {asked.common_name!r}, not {NODE_PREFIX}<name>")
    if not _node_name(asked.common_name):
        raise ValueError(f"{asked.common_name!r} is no name that a Node has")
    if spec["signerName"] == CLIENT and (asked.dns_names or asked.addresses):
        raise ValueError("it asks for further names")
    usages: Collection[str] = spec.get("usages", ())
    purpose = _PURPOSE[spec["signerName"]]
    # Key encipherment with keys of RSA only.
    if set(usages) - {"key encipherment"} != {"digital signature", purpose}:
        raise ValueError(f"its usages are {', '.join(sorted(usages))}")


def _first(
    name: str,
    instance: WorkerInstance | None,
    node: Mapping[str, Any] | None,
    age: float,
    region: str,
) -> Decision:
    """The first certificate of a worker."""
    if instance is None:
        missing = f"no instance of a pool of this cluster that runs is called {name}"
        if age < PATIENCE:
            return Decision(Outcome.WAIT, missing)
        return Decision(Outcome.DENY, f"{missing}, {PATIENCE:.0f} s after the request")
    if node is None:
        return Decision(Outcome.APPROVE, f"{instance.id} is a worker and has not joined yet")
    there = node["spec"].get("providerID", "")
    if there == instance.provider_id:
        return Decision(
            Outcome.DENY,
            f"{name} has joined already, and a token may not take its place: if {instance.id} lost "
            "its certificate, terminate it, or delete the Node",
        )
    if instance_of(there, region):
        return Decision(Outcome.WAIT, f"the Node of this name is still that of {there}")
    return Decision(
        Outcome.DENY, f"a Node of this name is there that is no instance of EC2: {there!r}"
    )


def _renewal(name: str, instance: WorkerInstance, node: Mapping[str, Any] | None) -> Decision:
    """The next certificate of a worker."""
    if node is None:
        # Somebody deleted it; or the instance, which has the name of an earlier one, has not joined
        # yet, and has no certificate to ask with.
        return Decision(
            Outcome.WAIT, f"there is no Node {name}: its kubelet makes it when it is started again"
        )
    there = node["spec"].get("providerID", "")
    if there != instance.provider_id:
        return Decision(
            Outcome.DENY, f"{instance.id} has this name, and the Node of this name is {there!r}"
        )
    return Decision(Outcome.APPROVE, f"{instance.id} runs, and is the Node of this name")


def _serving(asked: CertificateRequest, instance: WorkerInstance) -> Decision:
    """The certificate that a kubelet serves logs and exec with."""
    if asked.dns_names != (instance.name,) or asked.addresses != (instance.address,):
        listed = ", ".join((*asked.dns_names, *asked.addresses)) or "no name"
        return Decision(
            Outcome.DENY,
            f"{instance.id} is {instance.name} and {instance.address}, and asks for {listed}",
        )
    return Decision(Outcome.APPROVE, f"{instance.id} has this name and this address")
