"""A cloud that records what a Pulumi program registers, with the options the engine acts on."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.settings import set_root_resource
from pulumi.runtime.stack import run_in_stack
from pulumi.runtime.sync_await import _sync_await

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = "ha-kubernetes"
REGION = "eu-central-1"
ZONES = [f"{REGION}{letter}" for letter in "abc"]
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"


def is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def plain(value: Any) -> Any:
    """A value as the provider sees it: secrets unwrapped."""
    if is_secret(value):
        return plain(value["value"])
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


@dataclass(frozen=True)
class Recorded:
    """A registration, with the options that the engine would act on."""

    type: str
    name: str
    parent: str
    raw: Mapping[str, Any]
    protect: bool
    dependencies: tuple[str, ...]
    ignore_changes: tuple[str, ...]
    delete_before_replace: bool
    replace_on_changes: tuple[str, ...]
    replacement_trigger: Any
    retain_on_delete: bool
    hooks: tuple[tuple[str, str], ...] = ()
    """When, and the name of the hook."""

    @property
    def inputs(self) -> dict[str, Any]:
        return plain(dict(self.raw))


OUTPUTS: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "aws:ec2/instance:Instance": lambda name, inputs: {
        "privateIp": inputs.get("privateIp", f"10.0.0.{sum(name.encode()) % 250}")
    },
    "aws:ec2/eip:Eip": lambda name, _: {"allocationId": f"eipalloc-{name}"},
    "aws:kms/key:Key": lambda name, _: {
        "arn": f"arn:aws:kms:{REGION}:123456789012:key/{name}-key-id",
        "keyId": f"{name}-key-id",
    },
    "aws:s3/bucket:Bucket": lambda name, _: {"arn": f"arn:aws:s3:::{name}-id"},
    "aws:sns/topic:Topic": lambda name, _: {"arn": f"arn:aws:sns:{REGION}:123456789012:{name}"},
    "aws:lb/loadBalancer:LoadBalancer": lambda name, _: {
        "arn": f"arn:aws:elasticloadbalancing:{REGION}:123456789012:loadbalancer/net/{name}/1",
        "arnSuffix": f"net/{name}/1",
        "dnsName": f"{name}.elb.{REGION}.amazonaws.com",
    },
    "aws:lb/targetGroup:TargetGroup": lambda name, _: {
        "arn": f"arn:aws:elasticloadbalancing:{REGION}:123456789012:targetgroup/{name}/1",
        "arnSuffix": f"targetgroup/{name}/1",
    },
    "aws:lb/listener:Listener": lambda name, _: {"arn": f"arn:listener/{name}"},
    "aws:iam/role:Role": lambda name, _: {"name": name},
    "aws:iam/instanceProfile:InstanceProfile": lambda name, _: {"name": name},
    "aws:ec2/placementGroup:PlacementGroup": lambda name, _: {"name": name},
    "tls:index/privateKey:PrivateKey": lambda name, _: {
        "privateKeyPem": pulumi.Output.secret(
            f"-----BEGIN EC PRIVATE KEY-----\n{name}\n-----END EC PRIVATE KEY-----\n"
        ),
        "publicKeyPem": f"-----BEGIN PUBLIC KEY-----\n{name}\n-----END PUBLIC KEY-----\n",
    },
    "tls:index/selfSignedCert:SelfSignedCert": lambda name, _: {"certPem": f"certificate {name}"},
    "tls:index/certRequest:CertRequest": lambda name, _: {"certRequestPem": f"request {name}"},
    "tls:index/locallySignedCert:LocallySignedCert": lambda name, _: {
        "certPem": f"certificate {name}"
    },
}


@dataclass
class Cloud(Mocks):
    """Answers like AWS where the program depends on it, and records what it asks for."""

    zones: list[str] = field(default_factory=lambda: list(ZONES))
    image_architecture: str = "x86_64"
    calls: list[str] = field(default_factory=list)

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = OUTPUTS.get(args.typ, lambda *_: {})(args.name, plain(args.inputs))
        return f"{args.name}-id", {**args.inputs, **outputs}

    def call(self, args: MockCallArgs) -> Any:
        self.calls.append(args.token)
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "123456789012"},
            "aws:index/getPartition:getPartition": {"partition": "aws"},
            "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": self.zones},
            "aws:ec2/getAmi:getAmi": {
                "id": _image(plain(args.args)),
                "architecture": self.image_architecture,
            },
        }
        return answers[args.token]


def _image(asked: Mapping[str, Any]) -> str:
    """The image that is asked for by its id, or the newest one."""
    by_id = [f["values"][0] for f in asked.get("filters", ()) if f["name"] == "image-id"]
    return by_id[0] if by_id else "ami-0123456789abcdef0"


class RecordingMonitor(MockMonitor):
    """The mock monitor, keeping what it is told beside the inputs."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.recorded: dict[str, Recorded] = {}
        self.outputs: dict[str, dict[str, Any]] = {}
        self.hooks: list[tuple[str, bool]] = []
        """Every hook that was registered, and whether previews run it."""

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)
        raw = MessageToDict(request.object)
        self.recorded[response.urn] = Recorded(
            type=request.type,
            name=request.name,
            parent=request.parent,
            raw=raw,
            protect=request.protect,
            dependencies=tuple(sorted(request.dependencies)),
            ignore_changes=tuple(request.ignoreChanges),
            delete_before_replace=request.deleteBeforeReplace,
            retain_on_delete=request.retainOnDelete,
            replace_on_changes=tuple(request.replaceOnChanges),
            replacement_trigger=MessageToDict(request.replacement_trigger)
            if request.HasField("replacement_trigger")
            else None,
            hooks=tuple(
                (field.name, name) for field, names in request.hooks.ListFields() for name in names
            ),
        )
        return response

    def RegisterResourceHook(self, request: Any) -> Any:
        self.hooks.append((request.name, request.on_dry_run))
        return super().RegisterResourceHook(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.outputs[request.urn] = MessageToDict(request.outputs)
        return super().RegisterResourceOutputs(request)


class Deployment:
    """What a program registered."""

    def __init__(self, cloud: Cloud, monitor: RecordingMonitor) -> None:
        self.cloud = cloud
        self.monitor = monitor

    @property
    def resources(self) -> list[Recorded]:
        return [r for r in self.monitor.recorded.values() if r.type != "pulumi:pulumi:Stack"]

    def of(self, type_: str) -> dict[str, dict[str, Any]]:
        """Inputs by name of every resource whose type ends in `:<type_>`."""
        return {name: r.inputs for name, r in self.registrations(type_).items()}

    def registrations(self, type_: str) -> dict[str, Recorded]:
        found = [r for r in self.resources if r.type.rsplit(":", 1)[-1] == type_]
        return {r.name: r for r in sorted(found, key=lambda r: r.name)}

    def urn(self, type_: str, name: str) -> str:
        (urn,) = (
            urn
            for urn, r in self.monitor.recorded.items()
            if r.type.rsplit(":", 1)[-1] == type_ and r.name == name
        )
        return urn

    def loose(self) -> list[str]:
        """Provider resources that hang off the stack instead of a component."""
        return [
            r.name
            for r in self.resources
            if not r.type.startswith("hak8s:") and "::pulumi:pulumi:Stack::" in r.parent
        ]

    def exports(self) -> dict[str, Any]:
        (outputs,) = (
            o for urn, o in self.monitor.outputs.items() if "::pulumi:pulumi:Stack::" in urn
        )
        return outputs

    def component_outputs(self, type_: str) -> dict[str, Any]:
        (urn,) = (u for u in self.monitor.outputs if f"${type_}::" in u or f"::{type_}::" in u)
        return self.monitor.outputs[urn]


Deploy = Callable[..., Deployment]


def run(
    program: Callable[[], Any],
    *,
    cloud: Cloud | None = None,
    config: Mapping[str, Any] | None = None,
    stack: str = "test",
    preview: bool = False,
    logger: logging.Logger | None = None,
) -> Deployment:
    """Run a program against a recording cloud; exceptions of the program come out."""
    cloud = cloud or Cloud()
    monitor = RecordingMonitor(cloud)
    set_mocks(cloud, project=PROJECT, stack=stack, preview=preview, monitor=monitor, logger=logger)
    pulumi.runtime.set_all_config(
        {
            key if ":" in key else f"{PROJECT}:{key}": value
            if isinstance(value, str)
            else json.dumps(value)
            for key, value in {"aws:region": REGION, **(config or {})}.items()
        }
    )
    # set_mocks makes a stack of its own, whose outputs nobody can add to any more.
    set_root_resource(None)
    _sync_await(run_in_stack(program))
    return Deployment(cloud, monitor)
