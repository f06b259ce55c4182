"""A cloud that records what a Pulumi program registers, with the options the engine acts on."""

import base64
import gc
import gzip
import json
import logging
import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime.resource
import yaml
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.proto.source_pb2 import StackTrace
from pulumi.runtime.settings import set_root_resource
from pulumi.runtime.stack import run_in_stack
from pulumi.runtime.sync_await import _sync_await

# The SDK walks the stack for every resource and sends it along, which is a third of the time of a
# run, and nothing here reads it.
pulumi.runtime.resource._get_stack_trace = StackTrace
REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = "ha-kubernetes"
REGION = "eu-central-1"
ZONES = [f"{REGION}{letter}" for letter in "abc"]
SMALL = {"etcd": {"size": 1}, "api": {"size": 2}}
"""The smallest protected cluster: half the resources of the default one."""
UNPROTECTED = {**SMALL, "protect": False}
SIGNATURE = "4dabf18193072939515e22adb298388d"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
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
    deleted_with: str = ""
    """URN of what it goes with: deleted together with it, it is not asked to go first."""
    provider: str = ""
    """Reference of an explicit provider; empty for the default one."""
    hooks: tuple[tuple[str, str], ...] = ()
    """When, and the name of the hook."""

    @cached_property
    def inputs(self) -> dict[str, Any]:
        return plain(dict(self.raw))


OUTPUTS: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "aws:ec2/instance:Instance": lambda name, inputs: {
        "privateIp": inputs.get("privateIp", f"10.0.0.{sum(name.encode()) % 250}")
    },
    "aws:ec2/eip:Eip": lambda name, _: {
        "allocationId": f"eipalloc-{name}",
        "publicIp": f"198.51.100.{sum(name.encode()) % 250}",
    },
    "aws:cloudwatch/logGroup:LogGroup": lambda name, _: {
        "arn": f"arn:aws:logs:{REGION}:123456789012:log-group:{name}"
    },
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
    "aws:iam/role:Role": lambda name, _: {
        "name": name,
        "arn": f"arn:aws:iam::123456789012:role/{name}",
    },
    "aws:iam/instanceProfile:InstanceProfile": lambda name, _: {"name": name},
    "aws:ec2/launchTemplate:LaunchTemplate": lambda *_: {"latestVersion": 1},
    "aws:ec2/placementGroup:PlacementGroup": lambda name, _: {"name": name},
    "tls:index/privateKey:PrivateKey": lambda name, _: {
        "privateKeyPem": pulumi.Output.secret(
            f"-----BEGIN EC PRIVATE KEY-----\n{name}\n-----END EC PRIVATE KEY-----\n"
        ),
        "publicKeyPem": f"-----BEGIN PUBLIC KEY-----\n{name}\n-----END PUBLIC KEY-----\n",
    },
    "tls:index/selfSignedCert:SelfSignedCert": lambda name, _: {
        "certPem": f"certificate {name}",
        "validityEndTime": "2126-01-01T00:00:00Z",
    },
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
    image: dict[str, Any] = field(default_factory=dict)
    """What differs of the image that is found."""
    lacking: frozenset[tuple[str, str]] = frozenset()
    """Instance types and the zones that do not offer them."""
    types: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What differs of instance types, by type."""
    partition: str = "aws"
    parameters: dict[str, str] = field(default_factory=dict)
    """The record of a cluster that exists: values of parameters by name."""
    vpc: dict[str, Any] = field(default_factory=dict)
    """What differs of an adopted VPC from what the configuration says of it."""
    subnets: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What differs of adopted subnets, by id."""
    network: dict[str, Any] = field(default_factory=dict)
    """`network` of the configuration."""
    calls: list[str] = field(default_factory=list)

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = OUTPUTS.get(args.typ, lambda *_: {})(args.name, plain(args.inputs))
        return f"{args.name}-id", {**args.inputs, **outputs}

    def call(self, args: MockCallArgs) -> Any:
        self.calls.append(args.token)
        region, zones = self._place(args.provider)
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "123456789012"},
            "aws:index/getPartition:getPartition": {"partition": self.partition},
            "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": zones},
            "aws:index/getRegion:getRegion": {"region": region},
            "aws:ec2/getAmi:getAmi": {
                "id": _filters(args).get("image-id", ["ami-0123456789abcdef0"])[0],
                "architecture": self.image_architecture,
                "deprecationTime": "",
                "rootDeviceName": "/dev/xvda",
                **self.image,
            },
            "aws:ssm/getParametersByPath:getParametersByPath": self._parameters(args),
            "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": self._offers(args, zones),
            "aws:ec2/getInstanceType:getInstanceType": self._type(args),
            "aws:ec2/getVpc:getVpc": {
                "cidrBlock": self.network.get("cidr", "10.0.0.0/16"),
                "cidrBlockAssociations": [],
                **self.vpc,
            },
            "aws:ec2/getSubnet:getSubnet": self._subnet(args),
        }
        return answers[args.token]

    def _place(self, provider: str) -> tuple[str, list[str]]:
        """Region and zones that a question goes to: an explicit provider is named by its region."""
        name = provider.rpartition("::")[0].rpartition("::")[2]
        if "pulumi:providers:aws" not in provider or name.startswith("default"):
            return REGION, self.zones
        return name, [f"{name}{letter}" for letter in "abc"]

    def _parameters(self, args: MockCallArgs) -> dict[str, Any]:
        below = {
            name: value
            for name, value in self.parameters.items()
            if name.startswith(f"{args.args.get('path')}/")
        }
        return {"names": list(below), "values": list(below.values())}

    def _offers(self, args: MockCallArgs, zones: list[str]) -> dict[str, Any]:
        offers = [
            (instance_type, zone)
            for instance_type in _filters(args).get("instance-type", ())
            for zone in zones
            if (instance_type, zone) not in self.lacking
        ]
        return {"instanceTypes": [o[0] for o in offers], "locations": [o[1] for o in offers]}

    def _type(self, args: MockCallArgs) -> dict[str, Any]:
        name = args.args.get("instanceType", "")
        family = name.partition(".")[0]
        return {
            "supportedArchitectures": ["arm64" if "g" in family[2:] else "x86_64"],
            "ebsNvmeSupport": "required",
            "maximumIpv4AddressesPerInterface": 6 if family.startswith("t") else 10,
            **self.types.get(name, {}),
        }

    def _subnet(self, args: MockCallArgs) -> dict[str, Any]:
        """An adopted subnet is as the configuration says, unless `subnets` says otherwise."""
        existing = self.network.get("existing", {"vpcId": "", "zones": {}})
        known: dict[str, Any] = {"vpcId": existing["vpcId"], "availableIpAddressCount": 11}
        for zone, subnets in existing["zones"].items():
            if args.args.get("id") in subnets.values():
                known |= {"availabilityZone": zone, "cidrBlock": subnets["etcdCidr"]}
        return known | self.subnets.get(args.args.get("id", ""), {})


def _filters(args: MockCallArgs) -> dict[str, list[str]]:
    return {f["name"]: f["values"] for f in args.args.get("filters", ())}


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
            deleted_with=request.deletedWith,
            provider=request.provider,
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

    def component_outputs(self, type_: str, name: str) -> dict[str, Any]:
        return self.monitor.outputs[self.urn(type_, name)]


Deploy = Callable[..., Deployment]


def tags_of(inputs: Mapping[str, Any]) -> dict[str, str] | None:
    """The tags of a resource; an Auto Scaling group has a list of them."""
    tags = inputs.get("tags")
    return {tag["key"]: tag["value"] for tag in tags} if isinstance(tags, list) else tags


def user_data(machine: Mapping[str, Any]) -> str:
    """The text that cloud-init reads, of an instance or of a launch template's machines."""
    encoded = machine.get("userDataBase64") or machine["userData"]
    return gzip.decompress(base64.b64decode(encoded)).decode()


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
    cloud.network = (config or {}).get("network", {})
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
    _freeze_imports()
    return Deployment(cloud, monitor)


def run_program(config: Mapping[str, Any] | None = None, **options: Any) -> Deployment:
    """Run the whole program, `__main__.py`."""
    path = str(REPOSITORY / "__main__.py")
    return run(lambda: runpy.run_path(path, run_name="__main__") and None, config=config, **options)


def stack_config(stack: str) -> dict[str, Any]:
    """What `config/Pulumi.<stack>.yaml` sets, by key."""
    document = yaml.safe_load((REPOSITORY / "config" / f"Pulumi.{stack}.yaml").read_text())
    return {key.removeprefix(f"{PROJECT}:"): v for key, v in document["config"].items()}


def run_stack(stack: str, changes: Mapping[str, Any] | None = None) -> Deployment:
    """Run the program as a stack of the repository; `changes` replace whole keys."""
    config = {**stack_config(stack), **(changes or {})}
    architecture = "arm64" if config.get("architecture") == "arm64" else "x86_64"
    return run_program(config, stack=stack, cloud=Cloud(image_architecture=architecture))


@cache
def _freeze_imports() -> None:
    """Have the garbage collector pass over what the first run imported.

    pulumi-aws is thousands of modules; walking them takes a third of a run's time.
    """
    gc.freeze()
