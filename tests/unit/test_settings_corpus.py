"""Stack files as people get them wrong: valid values, one or two keys spoilt, or any JSON at all.

Whatever is in one, `check` returns settings or raises ConfigError with a line for each problem.
"""

import json
import re
from copy import deepcopy

import jsonschema
from hypothesis import example, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from config import ClusterSettings, ConfigError, check
from config.load import _decode
from config.reference import stack_file_schema
from tests.unit.ssh_keygen import ecdsa, ed25519, rsa, sk_ecdsa, sk_ed25519

SCHEMA = jsonschema.Draft202012Validator(json.loads(stack_file_schema()))

HUGE = "<a number of thousands of digits>"
"""Stands for one: hypothesis cannot print those either."""

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "", " ", "a,b", "1e3", "0x10", "\n", "\u2028", "\x00", "x" * 300, "🙂", "null", "true",
            "10.0.0.0", "10.0.0.0/33", "127.0.0.0/8", "10.0.0.1/16", "10.0.0.0/255.255.0.0", "::/0",
            "9999999999999h", "2562048h", "0.00001s", "1e-05s", "-5s", "1µs", "0s", "500ms", "s",
            "internal-k8s", "xn--prod", "aws", "t2.micro", "m4.large", "mac2.metal", "m6i.lrage.x",
            "https://a:b@c", "https://h/?x", "https://h#f", "https://h:99999", "https://h:0/",
            "http://mirror", "ssh-ed25519 AAAA", "ssh-rsa !!!", "eu-central-1", "subnet-", "vpc-0",
        ]
    ),
)  # fmt: skip
WILD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 70_000)
    | st.sampled_from([HUGE, 2**64, 1e308, float("nan"), float("inf")])
    | st.floats()
    | TEXTS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXTS, inside, max_size=3),
    max_leaves=6,
)


def zone(number):
    return {
        "privateSubnetId": f"subnet-{number}a",
        "etcdSubnetId": f"subnet-{number}b",
        "publicSubnetId": f"subnet-{number}c",
        "workerSubnetId": f"subnet-{number}d",
        "etcdCidr": f"10.0.{number}.0/28",
    }


EXISTING = {
    "vpcId": "vpc-0a",
    "zones": {f"eu-central-1{letter}": zone(number) for number, letter in enumerate("abc")},
}
CIDRS = ["10.0.0.0/8", "192.0.2.0/24", "0.0.0.0/0", "203.0.113.7/32"]
KEYS = [
    ed25519(1), ed25519(2, "two words"), rsa(2048), ecdsa(), ecdsa("nistp384", 48),
    ecdsa("nistp521", 66), sk_ed25519(), sk_ecdsa(),
]  # fmt: skip


@st.composite
def valid(draw):
    """A stack file's values, each within its rules and those between keys."""
    quota, sizes = draw(st.integers(1, 8)), st.sampled_from([1, 3, 5, 7])
    heartbeat = draw(st.integers(10, 1000))
    iops = draw(st.sampled_from([3000, 6000, 80_000]))
    retry = draw(st.sampled_from(["500ms", "1s", "1.5s", "2s"]))
    values = {
        "clusterName": draw(st.from_regex(r"[b-h]([a-z0-9-]{0,18}[a-z0-9])?", fullmatch=True)),
        "network": draw(
            st.sampled_from(
                [
                    {},
                    {"zones": 3},
                    {"zones": 2, "acceptTwoZones": True},
                    {"existing": EXISTING},
                    {"cidr": "172.16.0.0/20", "serviceCidr": "10.96.0.0/28", "nat": "single"},
                    {
                        "podCidr": "100.64.0.0/10",
                        "podNetwork": "none",
                        "zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
                    },
                ]
            )
        ),
        "etcd": {
            "size": draw(sizes),
            "heartbeatMs": heartbeat,
            "electionMs": draw(st.integers(max(100, 5 * heartbeat), 50_000)),
            "quotaGib": quota,
            "instanceType": draw(st.sampled_from(["m6i.large", "t3.medium", "i3.metal"])),
            "dataVolume": {
                "sizeGib": draw(st.integers(max(160, 2 * quota), 65_536)),
                "iops": iops,
                "throughput": draw(st.integers(125, min(2000, iops // 4))),
            },
            "snapshots": {"everyMinutes": draw(st.integers(5, 1440)), "keepDays": 1},
        },
        "api": {
            "size": draw(st.integers(2, 6)),
            "shutdownDelay": draw(st.sampled_from(["15s", "2m10s", "1500ms", "1h", "1.25s"])),
            "allowedCidrs": draw(st.lists(st.sampled_from(CIDRS), min_size=1, unique=True)),
        },
        "controllers": {"leaseDuration": "15s", "renewDeadline": "4s", "retryPeriod": retry},
        "pki": {"caYears": 10, "leafDays": draw(st.integers(60, 3649)), "epoch": 3},
        "operatorAccess": "instance-connect",
        "operatorKeys": draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4)),
        "tags": draw(
            st.dictionaries(
                st.sampled_from(["team", "cost center", "a.b/c=d+e-f@g", "größe"]),
                st.text("abc 0189_.:/=+-@é", max_size=256),
            )
        ),
        "workers": draw(
            st.sampled_from(
                [
                    {},
                    {"general": {"min": 0, "max": 3, "perZone": True, "diskGib": 50}},
                    {
                        "a": {"min": 2, "labels": {"example.com/tier": "front"}, "spot": True},
                        "b": {"min": 1, "taints": ["only=b:NoExecute"], "instanceType": "t3.large"},
                    },
                ]
            )
        ),
        "eviction": {
            "nodeMonitorGrace": draw(st.sampled_from(["15s", "40s", "10m"])),
            "toleration": draw(st.sampled_from(["1s", "1m", "1h"])),
        },
        "gateTimeout": draw(st.sampled_from(["45s", "15m", "24h"])),
        "artifacts": {
            "mirror": draw(
                st.sampled_from(
                    [None, "https://m.example", "https://m:8443/base/", "https://10.1.2.3/a%20b"]
                )
            ),
            "sha256": {"etcd": "0" * 64},
        },
    }
    kept = draw(st.sets(st.sampled_from(sorted(values))))
    if "operatorKeys" in kept or "operatorAccess" in kept:
        kept |= {"operatorKeys", "operatorAccess"}
    return {key: value for key, value in values.items() if key in kept}


def places(values, path=()):
    """Every place in the values, lists and what is in them included."""
    if isinstance(values, dict | list):
        for key in list(values) if isinstance(values, dict) else range(len(values)):
            yield (*path, key)
            yield from places(values[key], (*path, key))


@st.composite
def spoilt(draw):
    """Valid values of which one to three are something else, are gone, or have a new neighbour."""
    values = deepcopy(draw(valid()))
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(values))
        if not found:
            break
        *parents, last = draw(st.sampled_from(found))
        inside = values
        for part in parents:
            inside = inside[part]
        action = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if action == "replace":
            inside[last] = draw(WILD)
        elif action == "remove":
            del inside[last]
        elif isinstance(inside, dict):
            inside[draw(TEXTS)] = draw(WILD)
    return values


def real(values):
    """The values with real numbers in place of the words for them."""
    if values == HUGE:
        return 10**5000
    if isinstance(values, dict):
        return {key: real(value) for key, value in values.items()}
    return [real(value) for value in values] if isinstance(values, list) else values


def told(values, others=None):
    """Nothing when the values are settings; otherwise the lines of what is wrong."""
    values = real(values)
    try:
        settings = check(values, stack="test", others=others or {})
    except ConfigError as error:
        return str(error).split("\n")
    assert isinstance(settings, ClusterSettings)
    return []


def known_paths(values):
    return {".".join(str(part) for part in path) for path in places(values)}


def assert_told_well(values):
    lines = told(values)
    for line in lines:
        assert line.isprintable(), line
        assert re.match(r"'?[^:]*.*?: \S", line), line
    keys = [line.split(": ")[0] for line in lines]
    given = known_paths(values)
    for key, line in zip(keys, lines, strict=True):
        # The key was given, or it is missing where the rest of its path, or a default, is.
        sections = {path.rpartition(".")[0] for path in given} | given
        plain = key.removesuffix("...")
        assert (
            any(path.startswith(plain) for path in given)
            or repr(key)[1:-1] != key
            or key[:1] == "'"
            or key.rpartition(".")[0] in sections
            or key.split(".")[0] in {f.alias for f in ClusterSettings.model_fields.values()}
        ), line
    assert len(set(lines)) == len(lines)


@profile(max_examples=150)
@given(valid())
def test_valid_values_are_accepted_and_survive_the_schema(values):
    settings = check(values, stack="test")
    written = settings.model_dump(mode="json", by_alias=True)
    assert check(written, stack="another") == settings
    document = {"aws:region": "eu-central-1"}
    for given_values in (values, written):
        SCHEMA.validate(
            {"config": {**document, **{f"ha-kubernetes:{k}": v for k, v in given_values.items()}}}
        )


@profile(max_examples=400)
@given(spoilt())
@example({"operatorKeys": ["x"], "etcd": {"size": 4, "electionMs": 100}})
@example({"network": {"existing": {"vpcId": 1, "zones": {"a": {}, "b": 5}}}})
@example({"network": {"zones": ["a", 1]}, "api": {"size": HUGE}})
@example({"etcd": {"quotaGib": HUGE, "dataVolume": {"sizeGib": HUGE}}})
@example({"pki": {"epoch": HUGE}})
@example({"\n": {"\u2028": 1}, "tags": {"\n": "\n"}})
def test_one_spoilt_value_is_told_in_a_line(values):
    assert_told_well(values)


@profile(max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(sorted(f.alias for f in ClusterSettings.model_fields.values())) | TEXTS,
        WILD,
        max_size=5,
    )
)
def test_any_json_at_all_is_told_in_lines(values):
    assert_told_well(values)


@profile(max_examples=200)
@given(
    st.sampled_from(["etcd", "protect", "tags", "gateTimeout", "clusterName"]), st.text() | TEXTS
)
@example("etcd", '{"size": ' + "9" * 5000 + "}")
@example("etcd", "[" * 100_000)
@example("pki", '{"epoch": ' + "9" * 5000 + "}")
def test_any_text_from_the_engine_is_read(key, text):
    told({key: _decode(key, text)})


def test_a_number_too_long_for_python_is_told_by_its_key():
    (line,) = told({"etcd": _decode("etcd", '{"size": ' + "9" * 5000 + "}")})
    assert line.startswith("etcd.size: must be a whole number, got '999")
    assert len(line) < 200


@profile(max_examples=100)
@given(spoilt(), st.sampled_from([("etcd", {"size": 4}), ("pki", {"epoch": 0}), ("ami", "x")]))
def test_another_problem_is_told_beside_the_first(values, other):
    """Whatever else is wrong, a key that is wrong by itself is told."""
    key, wrong = other
    lines = told({**values, key: wrong})
    name = {"etcd": "etcd.size", "pki": "pki.epoch", "ami": "ami"}[key]
    assert any(line.startswith(f"{name}: ") for line in lines), lines
