"""What to try on a lab whose machines run."""

TRY = """\
Try it; `. {env}` brings a shell into the lab, where `lab` completes names in bash:
  lab status
  lab kubectl get leases --namespace kube-system
  lab logs etcd-0 etcd                       what a daemon wrote
  lab shell api-0                            a shell in a machine
  lab kill api-0 kube-controller-manager     a daemon dies: who leads now?
  lab power-cut etcd-1                       a machine loses its power; lab power-restore etcd-1
  lab partition eu-central-1a                a zone is cut off; lab heal
  pulumi config set --path etcd.size 5 && pulumi up
Elsewhere `lab` is `.venv/bin/python -m lab`. Remove everything: make down"""
