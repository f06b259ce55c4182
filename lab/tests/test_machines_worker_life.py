"""One real machine of a pool, without a cluster: real containerd, runc, network plug-ins and kubelet
run a pod with an address of the VPC, through a shutdown, a reboot and a power cut.

It needs root, Linux and the tools of `lab.machines.requirements`; else it is skipped with the
reason.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

import pytest

from lab.cloud import emulator_server
from lab.images.catalog import built_images
from lab.machines import cgroups, daemon_process, host_limits, requirements
from lab.machines.download_store import built_store
from lab.machines.lab_ca import lab_ca
from lab.machines.lab_names import Names
from lab.machines.layout import Layout
from lab.machines.network import namespaces
from lab.machines.nspawn_image import built_image
from lab.machines.nspawn_machine import Machine
from lab.machines.volume_files import devices
from lab.running import inside
from lab.stack.cloud import clients
from lab.tests.worker_samples import CLOSED, GATEWAY, POOL, user_data
from node.contract import POOL_TAG

pytestmark = [
    pytest.mark.machines,
    pytest.mark.skipif(requirements.problem() is not None, reason=str(requirements.problem())),
]

PATIENCE = 180.0
SUBNET = IPv4Network("10.9.0.0/24")
ADDRESS = IPv4Address("10.9.0.4")
PREFIX = IPv4Network("10.9.0.64/28")
REQUEST = """\
import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=float(sys.argv[2])).read().decode())
except OSError as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator["Lab"]:
    state = tmp_path_factory.mktemp("lab")
    built_image(lab_ca().certificate, print)
    built_store(print)
    emulator = emulator_server.start(state, port=0)
    try:
        daemon_process.start(state, emulator)
        yield Lab(state, clients(emulator))
    finally:
        daemon_process.remove(state)
        emulator.stop()


class Lab:
    """A machine of a pool in a subnet, and what a stranger in the VPC sees of it."""

    def __init__(self, state, aws):
        self.layout, self.names = Layout(state), Names.of(state)
        self.ec2 = aws("ec2")
        self.instance = self._launch()

    @property
    def machine(self) -> Machine:
        return Machine(self.instance, self.layout, self.names)

    def _launch(self) -> str:
        ec2 = self.ec2
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock=str(SUBNET), AvailabilityZone="eu-central-1a"
        )["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="smoke", Description="x", VpcId=vpc)["GroupId"]
        port = {"IpProtocol": "tcp", "FromPort": GATEWAY, "ToPort": GATEWAY}
        ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{**port, "IpRanges": [{"CidrIp": "10.9.0.0/16"}]}]
        )
        found = ec2.run_instances(
            ImageId=ec2.describe_images(Owners=["136693071363"])["Images"][0]["ImageId"],
            InstanceType="t3.medium",
            MinCount=1,
            MaxCount=1,
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": subnet,
                    "PrivateIpAddress": str(ADDRESS),
                    "Groups": [group],
                    "Ipv4Prefixes": [{"Ipv4Prefix": str(PREFIX)}],
                }
            ],
            MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": POOL_TAG, "Value": POOL}]}
            ],
            UserData=user_data(built_images(print), str(ADDRESS), SUBNET, PREFIX),
        )
        return str(found["Instances"][0]["InstanceId"])

    def state(self) -> str:
        found = self.ec2.describe_instances(InstanceIds=[self.instance])
        return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])

    def until(self, wanted: str) -> None:
        self.wait(lambda: self.state() == wanted, f"the instance is not {wanted}")

    def wait(self, condition, trouble: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.5)
        said = self.said() if self.machine.init() else self.layout.log.read_text()
        pytest.fail(f"{trouble}; {said}")

    def said(self) -> str:
        units = ["--unit=containerd", "--unit=kubelet", "--unit=lab-worker", "--unit=cloud-final"]
        words = ["journalctl", "--no-pager", "--lines=60", *units]
        return inside.attempt(self.machine.init(), words).stdout

    def ask(self, address: IPv4Address, port: int, path: str = "hostname", wait: float = 1) -> str:
        """What an address answers to whoever is in the VPC; empty when it does not."""
        url = f"http://{address}:{port}/{path}"
        command = [sys.executable, "-c", REQUEST, url, str(wait)]
        inside_vpc = ["ip", "netns", "exec", self.names.router]
        done = subprocess.run([*inside_vpc, *command], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def pod(self) -> IPv4Address | None:
        """The pod's address, once it answers."""
        if self.machine.init() is None:
            return None
        routes = inside.attempt(self.machine.init(), ["ip", "-4", "route", "show"]).stdout
        pods = [IPv4Address(one.split()[0]) for one in routes.splitlines() if " dev veth" in one]
        return next((one for one in pods if self.ask(one, GATEWAY)), None)

    def booted(self) -> str:
        """When its systemd began, on the clock of this computer; empty while it does not say."""
        init = self.machine.init()
        words = ["systemctl", "show", "--property=UserspaceTimestampMonotonic", "--value"]
        return inside.attempt(init, words).stdout.strip() if init else ""


def test_a_life(lab):
    lab.until("running")
    lab.wait(lab.pod, "no pod answers")
    pod = lab.pod()
    assert pod in PREFIX
    assert lab.ask(pod, GATEWAY) == "web-ip-10-9-0-4"
    # The security group of the interface holds for its pods too.
    assert lab.ask(pod, CLOSED) == ""
    # They get no token of the metadata service, and with it no keys of the machine's role: the
    # answer dies on its way to them (hop limit 1).
    token = ["curl", "--silent", "--max-time", "2", "--request", "PUT", "--header"]
    token += ["X-aws-ec2-metadata-token-ttl-seconds: 60", "http://169.254.169.254/latest/api/token"]
    init = lab.machine.init()
    assert inside.output(init, token)
    (process,) = inside.output(init, ["pgrep", "-f", f"http-port={GATEWAY}"]).split()
    asked = inside.attempt(init, ["nsenter", f"--target={process}", "--net", *token])
    assert (asked.returncode, asked.stdout) == (28, "")
    # Its memory is limited, in a group of this machine's own.
    limits = {
        path.read_text(encoding="utf-8").strip()
        for root in cgroups.hierarchies()
        for path in (root / lab.names.prefix / lab.instance).rglob("memory.*")
        if path.name in {"memory.limit_in_bytes", "memory.max"} and "kubepods" in str(path)
    }
    assert str(64 << 20) in limits

    before = lab.booted()
    lab.ec2.reboot_instances(InstanceIds=[lab.instance])
    lab.wait(lambda: lab.booted() not in {"", before}, "it does not boot again")
    lab.wait(lab.pod, "no pod answers after the reboot")
    # kubelet was asked first, as logind asks it when a person presses the button.
    journal = ["journalctl", "--no-pager", "--unit=kubelet", "--boot=-1"]
    assert "Shutdown manager" in inside.output(lab.machine.init(), journal)
    links = inside.output(lab.machine.init(), ["ip", "-oneline", "link"])
    assert links.count("veth") == 1, "what the pods of before had is still there"

    lab.machine.cut_power()
    pod = lab.pod()
    assert pod is None
    lab.machine.restore_power()
    lab.wait(lab.pod, "no pod answers with the power back")

    lab.ec2.stop_instances(InstanceIds=[lab.instance])
    lab.until("stopped")
    assert devices(lab.layout.base) == []
    assert namespaces.existing(lab.names.prefix) == [lab.names.router]
    lab.ec2.start_instances(InstanceIds=[lab.instance])
    lab.wait(lab.pod, "no pod answers after the start")

    lab.ec2.terminate_instances(InstanceIds=[lab.instance])
    lab.until("terminated")
    assert not lab.layout.machine(lab.instance).exists()
    assert devices(lab.layout.base) == []
    mounts = subprocess.run(["mount"], capture_output=True, text=True, check=True).stdout
    assert str(lab.layout.machine(lab.instance)) not in mounts


def test_limits_of_the_computer_are_raised_while_it_runs(lab):
    assert int(host_limits.INOTIFY.read_text()) >= host_limits.ENOUGH
