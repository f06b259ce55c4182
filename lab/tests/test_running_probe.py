"""The probe answers on every machine, whatever is not there."""

import json
import subprocess
import sys

from lab.running.node_snapshot import PROBE
from lab.running.probe import UNITS


def test_it_prints_one_document_where_nothing_of_a_node_is():
    words = [sys.executable, "-I", "-"]
    done = subprocess.run(
        words, input=PROBE.read_text(), capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert done.stderr == ""
    assert set(found) == {"userspace", "units", "certificates", "etcd", "api", "worker"}
    assert found["certificates"] == {}
    assert found["etcd"] is None
    leases = {"kube-controller-manager": None, "kube-scheduler": None}
    assert found["api"] == {"ready": False, "leases": leases}
    assert set(found["units"]) <= set(UNITS)
