"""What stacks cost a month, from what they declare and `config/prices.py`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from config.prices import FREE_ALARMS, FREE_METRICS, FREE_REQUESTS, PRICES
from lab.tests.figures.snapshot_cost import SIZES_MIB, stored
from lab.tests.figures.tables import rows
from node.contract import INTERVAL_SECONDS, Metric, WorkerMetric
from tests.recording import Deployment, run_stack, stack_config

HOURS = 730
"""Of a month, as AWS counts them."""
WORKERS = 3
"""Of the pool that the list of changes has."""
GP3_BASE = {"iops": 3000, "throughput": 125}
"""Performance of a gp3 volume that its price includes (EBS user guide)."""


@dataclass(frozen=True)
class Item:
    """A line of the bill."""

    terms: str
    """How it is computed."""
    usd: Decimal

    def __str__(self) -> str:
        return f"{self.terms} = {self.usd:.2f}" if self.terms else "0"


def bill(stack: Deployment) -> Mapping[str, Item]:
    """Everything of a stack that costs something while nobody uses it, by what it is."""
    alarms = len(stack.of("MetricAlarm"))
    advanced = [p for p in stack.of("Parameter").values() if p.get("tier") == "Advanced"]
    assert not advanced, "advanced parameters have no price in config/prices.py"
    return {
        "machines": _machines(stack),
        "volumes, gp3 (root, and data of members)": _volumes(stack),
        "load balancer, with one capacity unit": _hourly(
            len(stack.of("LoadBalancer")), "network load balancer", "load balancer capacity unit"
        ),
        "NAT gateways": _hourly(len(stack.of("NatGateway")), "NAT gateway"),
        "their public addresses": _hourly(len(stack.of("Eip")), "public IPv4 address"),
        "interface endpoints, in each zone": _hourly(
            sum(len(e.get("subnetIds", ())) for e in stack.of("VpcEndpoint").values()),
            "interface endpoint",
        ),
        "KMS key": _monthly(len(stack.of("Key")), "KMS key"),
        "Parameter Store, standard parameters": _monthly(
            len(stack.of("Parameter")), "standard parameter"
        ),
        "alarms, if the account has no others": _monthly(alarms, "alarm", free=FREE_ALARMS),
        "metrics that nodes report, likewise": _monthly(
            _metrics(stack), "metric", free=FREE_METRICS
        ),
    }


def monthly(stack: Deployment) -> Decimal:
    """The sum of a stack's bill."""
    return _sum(item.usd for item in bill(stack).values())


def cost() -> str:
    """The bills of `dev` and `prod`, side by side."""
    stacks = {name: declared(name) for name in ("dev", "prod")}
    bills = [bill(stack) for stack in stacks.values()]
    body = [
        (what, *(str(each[what]) for each in bills))
        for what in bills[0]
        if any(each[what].terms for each in bills)
    ]
    sums = [f"**{monthly(stack):.2f}**" for stack in stacks.values()]
    head = [f"`{name}`: {_described(stack)}" for name, stack in stacks.items()]
    return rows(("", *head), [*body, ("**sum**", *sums)])


def sums() -> str:
    """The sums alone, rounded, for a sentence."""
    dev, prod = (monthly(declared(name)) for name in ("dev", "prod"))
    return f"{dev:.0f} US dollars a month for `dev`, {prod:.0f} for `prod`"


def changes() -> str:
    """What other choices cost, as a list."""
    prod, dearer = declared("prod"), declared("prod", size=5)
    member = (monthly(dearer) - monthly(prod)) / 2
    pool = monthly(declared("prod", workers=WORKERS)) - monthly(prod)
    without_nat = bill(declared("prod", nat="none"))["interface endpoints, in each zone"]
    nat = _sum(bill(prod)[what].usd for what in ("NAT gateways", "their public addresses"))
    snapshots = [f"{s.usd:.2f} of a database of {s.database}" for s in map(stored, SIZES_MIB)]
    (balancer,) = prod.of("LoadBalancer").values()
    public = _hourly(len(balancer["subnets"]), "public IPv4 address")
    eks = _hourly(1, "EKS control plane")
    return "\n".join(
        (
            f"- Another etcd member in `prod` adds {member:.2f}.",
            (
                f"- A first pool of {WORKERS} workers in `prod`, of the type and the disk that a pool has by "
                f"default, adds {pool:.2f}, with its alarms. Each of its replacements runs alongside its "
                "predecessor for minutes; spot instances cost less, at prices that change."
            ),
            (
                f"- `network.nat: none` in `prod`: interface endpoints cost {without_nat}, and "
                f"there are no NAT gateways with their addresses, which cost {nat:.2f}."
            ),
            f"- `api.internal: false`: the load balancer's public addresses cost {public}.",
            f"- {_nothing_free(prod)}",
            (
                f"- Snapshots in S3 cost, with the default settings, {', '.join(snapshots)} "
                "([how](architecture.md#snapshots-and-restore))."
            ),
            f"- The control plane of EKS costs {eks}.",
        )
    )


def prices() -> str:
    """The table of prices."""
    return rows(
        ("", "US dollars", "per", "source"),
        [(name, price.usd, price.per, price.source) for name, price in PRICES.items()],
    )


def _nothing_free(stack: Deployment) -> str:
    nodes = len(stack.of("Instance"))
    each = 3600 // INTERVAL_SECONDS * HOURS
    alarms = _monthly(len(stack.of("MetricAlarm")), "alarm")
    metrics = _monthly(_metrics(stack), "metric")
    requests = nodes * each * PRICES["CloudWatch requests"].usd / 1000
    whole = alarms.usd + metrics.usd + requests
    return (
        f"A node reports every {INTERVAL_SECONDS} s, {each:,} requests a month; CloudWatch's first "
        f"{FREE_REQUESTS:,} are free for the account. Where nothing of CloudWatch is free any "
        f"more, alarms ({alarms}), metrics ({metrics}) and requests ({nodes} x {each / 1000} x "
        f"{PRICES['CloudWatch requests'].usd} = {requests:.2f}) of `prod` come to {whole:.2f}. With pools "
        "there are three alarms and metrics more, and requests as of one node more."
    )


def _metrics(stack: Deployment) -> int:
    """How many metrics there are of a stack."""
    return len(Metric) + (len(WorkerMetric) if stack.of("Group") else 0)


def _pools(stack: Deployment) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """How many machines each group of workers begins with, and their launch template."""
    templates = stack.of("LaunchTemplate")
    for name, group in stack.of("Group").items():
        # The group of a zone has the name of its pool, and the zone's behind it.
        pool = max((one for one in templates if name.startswith(one)), key=len)
        yield int(group["minSize"]), templates[pool]


def _machines(stack: Deployment) -> Item:
    types = Counter(i["instanceType"] for i in stack.of("Instance").values())
    for number, template in _pools(stack):
        types[template["instanceType"]] += number
    parts = [_hourly(number, name) for name, number in types.items()]
    return Item(" + ".join(part.terms for part in parts), _sum(part.usd for part in parts))


def _volumes(stack: Deployment) -> Item:
    data = stack.of("Volume").values()
    roots = [instance["rootBlockDevice"] for instance in stack.of("Instance").values()]
    for number, template in _pools(stack):
        (mapping,) = template["blockDeviceMappings"]
        roots += number * [mapping["ebs"]]
    for volume in (*data, *roots):
        assert all(volume.get(key, base) <= base for key, base in GP3_BASE.items()), (
            "performance beyond gp3's base has no price in config/prices.py"
        )
    price = PRICES["gp3 volume"].usd
    sizes = [Counter(int(root["volumeSize"]) for root in roots)]
    sizes.append(Counter(int(volume["size"]) for volume in data))
    terms = " + ".join(f"{n} x {gib}" for tier in sizes for gib, n in tier.items())
    gib = sum(n * gib for tier in sizes for gib, n in tier.items())
    return Item(f"({terms}) x {price}", gib * price)


def _hourly(number: int, *names: str) -> Item:
    """So many of each, for a month."""
    if not number:
        return Item("", Decimal(0))
    each = [PRICES[name].usd for name in names]
    shown = f"({' + '.join(map(str, each))})" if len(each) > 1 else str(each[0])
    return Item(f"{number} x {shown} x {HOURS}", number * _sum(each) * HOURS)


def _monthly(number: int, name: str, *, free: int = 0) -> Item:
    """So many, of which some are free, for a month."""
    price = PRICES[name].usd
    free = min(number, free)
    shown = f"({number} - {free} free)" if free else str(number)
    return Item(f"{shown} x {price}", (number - free) * price)


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))


def _described(stack: Deployment) -> str:
    names = stack.of("Instance")
    members = len(stack.of("Volume"))
    types = ", ".join(dict.fromkeys(i["instanceType"] for i in names.values()))
    nat = len(stack.of("NatGateway"))
    return f"{members} etcd + {len(names) - members} API, {types}, {nat} NAT"


@cache
def declared(
    name: str, *, size: int | None = None, nat: str | None = None, workers: int | None = None
) -> Deployment:
    """A stack of the repository, with another etcd size, other NAT or a pool of workers."""
    config = stack_config(name)
    changed: dict[str, object] = {}
    if size:
        changed["etcd"] = {**config.get("etcd", {}), "size": size}
    if workers:
        changed["workers"] = {"general": {"min": workers}}
    if nat:
        changed["network"] = {**config.get("network", {}), "nat": nat}
        # Without NAT a stack must say where its nodes get everything from.
        changed |= {
            "artifacts": {"mirror": "https://mirror.example"},
            "ami": "ami-0123456789abcdef0",
        }
    return run_stack(name, changed)
