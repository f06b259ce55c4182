"""What was under way is read from the state, and what exists is recorded in it."""

import itertools
from typing import Any

import pytest

from recovery import deployment
from recovery.deployment import Fate

STACK = "urn:pulumi:prod::ha-kubernetes::"
PROVIDER = f"{STACK}pulumi:providers:aws::default"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x"}


def _urn(name, kind="aws:ec2/instance:Instance"):
    return f"{STACK}{kind}::{name}"


def _resource(name, *, kind="aws:ec2/instance:Instance", **more) -> dict[str, Any]:
    return {
        "urn": _urn(name, kind),
        "custom": True,
        "type": kind,
        "provider": f"{PROVIDER}::1",
        **more,
    }


def _provider(**inputs):
    return {
        "urn": PROVIDER,
        "custom": True,
        "id": "1",
        "type": "pulumi:providers:aws",
        "inputs": inputs,
    }


def _export(resources, *creating, others=()):
    operations = [{"type": "creating", "resource": one} for one in creating]
    operations += [{"type": kind, "resource": one} for kind, one in others]
    return {
        "version": 3,
        "deployment": {
            "manifest": {},
            "resources": [_provider(region="eu-north-1", profile="ops"), *resources],
            "pending_operations": operations,
        },
    }


def _recorded(export, **fates):
    state = deployment.recorded(export, {_urn(name): fate for name, fate in fates.items()})
    assert "pending_operations" not in state["deployment"]
    return state["deployment"]["resources"]


def test_creations_are_listed_once_and_others_are_counted():
    export = _export(
        [],
        _resource("a", inputs={"x": 1}),
        _resource("a", inputs={"x": 2}),
        _resource("b"),
        others=[("deleting", _resource("c")), ("updating", _resource("d"))],
    )
    assert [(one.name, one.inputs) for one in deployment.creations(export)] == [
        ("a", {"x": 2}),
        ("b", {}),
    ]
    assert deployment.interrupted(export) == 2
    assert str(deployment.creations(export)[0]) == "ec2.Instance a"


def test_the_region_is_the_providers():
    export = _export([], _resource("a"))
    (creation,) = deployment.creations(export)
    assert deployment.region(export, creation) == deployment.Region("eu-north-1", "ops")


def test_the_account_is_in_the_arns_of_what_is_recorded():
    key = "arn:aws:kms:eu-north-1:111122223333:key/1"
    export = _export(
        [
            _resource("key", kind="aws:kms/key:Key", id="1", outputs={"arn": key}),
            _resource("b", kind="aws:s3/bucket:Bucket", id="b", outputs={"arn": "arn:aws:s3:::b"}),
            _resource("r", id="i", outputs={"arn": SECRET}),
        ]
    )
    assert deployment.accounts(export) == {"111122223333"}


def test_what_exists_becomes_the_resource_with_its_inputs_as_outputs():
    inputs = {"tags": {"Name": "a"}, "root": {"size": 8, "__defaults": []}, "__defaults": ["x"]}
    pending = _resource("a", inputs={**inputs, "password": SECRET}, protect=True)
    export = _export([], pending)
    *_, made = _recorded(export, a=Fate("i-1", ()))
    assert made == {
        **pending,
        "id": "i-1",
        "outputs": {
            "id": "i-1",
            "tags": {"Name": "a"},
            "root": {"size": 8},
            "password": SECRET,
        },
    }


def test_what_does_not_exist_is_not_recorded():
    export = _export([_resource("b", id="i-2")], _resource("a"))
    assert [one["urn"] for one in _recorded(export, a=Fate(None, ()))] == [PROVIDER, _urn("b")]


def test_what_is_left_over_is_to_be_deleted_without_gate_or_protection():
    hooks = {"before_delete": ["gate"]}
    export = _export([], _resource("a", inputs={}, protect=True, resourceHooks=hooks))
    *_, kept, spare = _recorded(export, a=Fate("i-1", ("i-2",)))
    assert (kept["id"], kept["protect"], kept["resourceHooks"]) == ("i-1", True, hooks)
    assert (spare["id"], spare["delete"], spare["protect"]) == ("i-2", True, False)
    assert "resourceHooks" not in spare


def test_the_successor_takes_the_place_of_what_made_room_for_it():
    room = _resource("a", id="i-0", pendingReplacement=True)
    disk = _resource("disk", id="vai", dependencies=[_urn("a")], pendingReplacement=True)
    # The successor depends on what was created after the one before it.
    later = _resource("later", id="i-9")
    export = _export([room, disk, later], _resource("a", inputs={}, dependencies=[_urn("later")]))
    resources = _recorded(export, a=Fate("i-1", ()))
    assert [one["id"] for one in resources] == ["1", "i-9", "i-1", "vai"]


def test_what_makes_room_stays_while_its_successor_does_not_exist():
    room = _resource("a", id="i-0", pendingReplacement=True)
    export = _export([room], _resource("a", inputs={}))
    assert [one["id"] for one in _recorded(export, a=Fate(None, ()))] == ["1", "i-0"]


@pytest.mark.parametrize(
    ("before", "anew", "kept", "spare"),
    [
        ([], False, "i-1", ("i-2",)),
        ([], True, None, ("i-1", "i-2")),
        ([{"id": "i-0"}], False, None, ("i-1", "i-2")),
        ([{"id": "i-0", "pendingReplacement": True}], False, "i-1", ("i-2",)),
        ([{"id": "i-0", "delete": True}], False, "i-1", ("i-2",)),
    ],
)
def test_the_first_is_kept_unless_the_resource_is_there(before, anew, kept, spare):
    export = _export([_resource("a", **one) for one in before], _resource("a"))
    fate = deployment.fate(export, _urn("a"), ["i-1", "i-2"], anew=anew)
    assert fate == Fate(kept, spare)


def test_nothing_found_is_nothing_recorded():
    export = _export([], _resource("a"))
    assert deployment.fate(export, _urn("a"), [], anew=False) == Fate(None, ())


def test_ids_that_are_recorded_are_known_unless_they_made_room():
    kind = "aws:ssm/parameter:Parameter"
    export = _export(
        [
            _resource("a", kind=kind, id="/a"),
            _resource("b", kind=kind, id="/b", pendingReplacement=True),
            _resource("c", kind=kind, id="/c", delete=True),
            _resource("d", id="/d"),
        ]
    )
    assert deployment.ids(export, kind) == {"/a", "/c"}


def test_everything_comes_after_what_it_depends_on():
    chain = [_resource(name, id=name) for name in "abc"]
    for first, second in itertools.pairwise(chain):
        second["dependencies"] = [first["urn"]]
    pending = _resource("new", inputs={}, propertyDependencies={"x": [_urn("c")]}, parent=_urn("a"))
    resources = _recorded(_export(chain, pending), new=Fate("i", ()))
    assert [one["id"] for one in resources] == ["1", "a", "b", "c", "i"]
