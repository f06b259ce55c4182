"""Session of the proofs on one lab: its cluster, and the one who may change both."""

from contextlib import ExitStack
from dataclasses import dataclass, field

from lab.lab_errors import LabError
from lab.lock import exclusive
from lab.running import RunningLab, find, inside
from lab.running.kubectl_runner import Kubectl, kubectl
from lab.running.node_names import Node, tier
from lab.running.node_snapshot import NodeSnapshot, inspect
from lab.running.ready import missing
from lab.running.stack import pulumi
from lab.workspace import Workspace


@dataclass
class LabSession:
    """A lab for the time of the proofs; nobody else changes it meanwhile."""

    lab: RunningLab
    kubectl: Kubectl
    _held: ExitStack = field(default_factory=ExitStack, repr=False)

    @classmethod
    def take(cls, workspace: Workspace) -> "LabSession":
        """Take a lab whose machines run. Raises LabError, also when somebody else has it."""
        lab = find(workspace)
        with ExitStack() as stack:
            stack.enter_context(exclusive(workspace.lock))
            return cls(lab, kubectl(lab), stack.pop_all())

    def release(self) -> None:
        """Let others change it; any number of times."""
        self._held.close()

    def snapshots(self) -> list[NodeSnapshot]:
        """A look at every machine. Raises LabError when the API does not answer."""
        return inspect(self.lab)

    def ready(self) -> list[NodeSnapshot] | None:
        """A look at the machines of the control plane if it is ready.

        Workers are waited for where they matter, and by what Kubernetes says of their nodes
        (joined_workers.py): their own agents say so half a minute later.

        Raises as `snapshots`.
        """
        snapshots = [one for one in self.snapshots() if tier(one.node.name) != "worker"]
        return None if missing(snapshots) else snapshots

    def members(self) -> dict[str, int]:
        """The ids of the members that answer, by name; raises as `snapshots`."""
        return {
            snapshot.node.name: snapshot.etcd.id for snapshot in self.snapshots() if snapshot.etcd
        }

    def nodes(self, of: str) -> list[Node]:
        """The machines of a tier: `etcd`, `api` or `worker`; raises as `snapshots`."""
        return [node for name, node in self.lab.nodes().items() if tier(name) == of]

    def within(self, node: Node, *words: str, stdin: str = "") -> str:
        """What a program in a machine prints. Raises LabError when it fails."""
        return inside.output(self.lab.init(node), words, stdin)

    def process(self, node: Node, service: str) -> int:
        """The id of a service's main process in a machine; 0 when it has none.

        Raises LabError when the machine is off.
        """
        return inside.main_process(self.lab.init(node), service)

    def namespace(self, node: Node) -> str:
        """The network namespace of a machine."""
        return self.lab.names.machine(node.instance.id)

    def configure(self, path: str, value: str) -> None:
        """`pulumi config set --path`. Raises LabError."""
        self._pulumi("config", "set", "--path", path, value)

    def up(self) -> str:
        """`pulumi up`; what it printed. Raises LabError."""
        return self._pulumi("up", "--yes", "--skip-preview")

    def output(self, name: str) -> str:
        """An output of the stack. Raises LabError."""
        return self._pulumi("stack", "output", name).strip()

    def destroy(self) -> str:
        """`pulumi destroy`; what it printed. Raises LabError."""
        return self._pulumi("destroy", "--yes", "--skip-preview")

    def _pulumi(self, *arguments: str) -> str:
        done = pulumi(self.lab, *arguments)
        if done.returncode:
            raise LabError(f"`pulumi {' '.join(arguments)}` failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout
