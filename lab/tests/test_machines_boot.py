"""One real machine, from RunInstances to TerminateInstances: systemd, cloud-init, DHCP, names,
metadata, its role's keys, TLS to the AWS endpoints, a disk, the firewall.

It needs root, Linux and the tools of `lab.machines.requirements`; else it is skipped with the
reason.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.cloud import emulator_server
from lab.machines import daemon_process, requirements
from lab.machines.lab_ca import lab_ca
from lab.machines.lab_names import Names
from lab.machines.layout import Layout
from lab.machines.network import namespaces
from lab.machines.nspawn_image import built_image
from lab.machines.volume_files import device_name, devices
from lab.running.journal import plain_text
from lab.stack.cloud import clients

pytestmark = [
    pytest.mark.machines,
    pytest.mark.skipif(requirements.problem() is not None, reason=str(requirements.problem())),
]

PATIENCE = 300.0
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "ssm:PutParameter", "Resource": "arn:*:parameter/mine/*"}
    ],
}
PROGRAM = """\
import json, os, socket, subprocess, sys, time, boto3, urllib.request
from botocore.exceptions import ClientError
from pathlib import Path

ssm = boto3.client("ssm", region_name="eu-central-1")


def put(name, value):
    try:
        ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "done"


def opened(address, port):
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def without_token():
    try:
        urllib.request.urlopen("http://169.254.169.254/latest/meta-data/", timeout=5)
    except urllib.error.HTTPError as error:
        return error.code


disk = sys.argv[1]
while not os.path.exists(disk):
    time.sleep(0.1)
found = subprocess.run(["blkid", "-p", disk], capture_output=True).returncode
if found == 2:
    subprocess.run(["mkfs.ext4", "-q", disk], check=True)
with open("/etc/fstab", "a") as fstab:
    fstab.write(f"{disk} /data ext4 noatime,nofail 0 0\\n")
Path("/data").mkdir(exist_ok=True)
subprocess.run(["systemctl", "daemon-reload"], check=True)
subprocess.run(["systemctl", "start", "/data"], check=True)
with open("/data/boots", "a") as file:
    file.write("boot\\n")
put("/mine/report", json.dumps({
    "other": put("/other/report", "x"),
    "token": without_token(),
    "boots": Path("/data/boots").read_text().count("boot"),
    "name": socket.gethostname(),
    "resolved": socket.gethostbyname(sys.argv[2]),
    "open": opened("198.18.0.10", 443),
    "closed": opened("198.18.0.10", 80) or opened("198.18.0.20", 22),
}))
"""


def user_data(volume: str) -> str:
    command = ["python3", "/root/program.py", device_name(volume)]
    command.append("ip-10-9-0-4.eu-central-1.compute.internal")
    document = {
        "hostname": "smoke",
        "write_files": [{"path": "/root/program.py", "content": PROGRAM}],
        "runcmd": [command],
    }
    return f"#cloud-config\n{json.dumps(document)}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[tuple[Path, Callable]]:
    """A lab's state directory with an emulator and the machines' daemon, and its clients."""
    state = tmp_path_factory.mktemp("lab")
    built_image(lab_ca().certificate, print)
    emulator = emulator_server.start(state, port=0)
    try:
        daemon_process.start(state, emulator)
        yield state, clients(emulator)
    finally:
        daemon_process.remove(state)
        emulator.stop()


@pytest.fixture
def aws(lab):
    return lab[1]


def wait(condition: Callable, log: Path):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    pytest.fail(f"waited in vain; the daemon says:\n{log.read_text()}")


def make_role(iam) -> str:
    iam.create_role(RoleName="smoke", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="smoke", PolicyName="own", PolicyDocument=json.dumps(POLICY))
    iam.create_instance_profile(InstanceProfileName="smoke")
    iam.add_role_to_instance_profile(InstanceProfileName="smoke", RoleName="smoke")
    return "smoke"


def make_network(ec2) -> tuple[str, str]:
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.9.0.0/24", AvailabilityZone="eu-central-1a"
    )["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="smoke", Description="smoke", VpcId=vpc)["GroupId"]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
    https = [
        {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
        }
    ]
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=https)
    return subnet, group


def test_a_life(lab, aws):
    state, _ = lab
    layout, names = Layout(state), Names.of(state)
    ec2, ssm = aws("ec2"), aws("ssm")
    profile, (subnet, group) = make_role(aws("iam")), make_network(ec2)
    volume = ec2.create_volume(AvailabilityZone="eu-central-1a", Size=1)["VolumeId"]

    def launch() -> str:
        return ec2.run_instances(
            ImageId=ec2.describe_images(Owners=["136693071363"])["Images"][0]["ImageId"],
            InstanceType="t3.small",
            MinCount=1,
            MaxCount=1,
            SubnetId=subnet,
            PrivateIpAddress="10.9.0.4",
            SecurityGroupIds=[group],
            IamInstanceProfile={"Name": profile},
            MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            UserData=user_data(volume),
        )["Instances"][0]["InstanceId"]

    def is_now(instance: str, wanted: str) -> bool:
        found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        return found["State"]["Name"] == wanted

    def until(instance: str, wanted: str) -> None:
        wait(lambda: is_now(instance, wanted), layout.log)

    def report() -> dict:
        return json.loads(ssm.get_parameter(Name="/mine/report")["Parameter"]["Value"])

    def reported() -> dict | None:
        pages = ssm.describe_parameters()["Parameters"]
        return report() if "/mine/report" in {one["Name"] for one in pages} else None

    instance = launch()
    until(instance, "running")
    # After the boot: a volume appears in a machine that runs.
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    assert wait(reported, layout.log) == {
        "other": "AccessDeniedException",
        "token": 401,
        "boots": 1,
        "name": "smoke",
        "resolved": "10.9.0.4",
        "open": True,
        "closed": False,
    }
    status = ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"][0]
    assert status["InstanceStatus"]["Status"] == "ok"

    ec2.stop_instances(InstanceIds=[instance])
    until(instance, "stopped")
    console = ec2.get_console_output(InstanceId=instance)["Output"]
    assert "Reached target poweroff.target" in plain_text(console)
    assert namespaces.existing(names.prefix) == [names.router]
    assert devices(layout.base) == []

    ec2.detach_volume(VolumeId=volume, InstanceId=instance)
    ec2.terminate_instances(InstanceIds=[instance])
    until(instance, "terminated")
    assert not layout.machine(instance).exists()

    ssm.delete_parameter(Name="/mine/report")
    successor = launch()
    until(successor, "running")
    ec2.attach_volume(VolumeId=volume, InstanceId=successor, Device="/dev/sdf")
    assert wait(reported, layout.log)["boots"] == 2


def test_nothing_is_left_after_a_crash(lab):
    state, _ = lab
    layout, names = Layout(state), Names.of(state)
    daemon = daemon_process.find(state)
    assert daemon is not None
    daemon.send(9)
    assert daemon.ended(patience=10)
    assert len(namespaces.existing(names.prefix)) == 2

    assert daemon_process.remove(state) == [
        "switched off 1 machines and removed their network and disks"
    ]

    assert namespaces.existing(names.prefix) == []
    assert devices(layout.base) == []
    assert str(state) not in Path("/proc/self/mountinfo").read_text()
    assert not layout.base.exists()
    assert daemon_process.remove(state) == []
