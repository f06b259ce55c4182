"""URNs of the default stack: a changed line is a resource that Pulumi replaces, unless it has an
alias."""


def test_urns_are_what_was_reviewed(golden, cluster):
    golden("urns.txt", "".join(f"{urn}\n" for urn in sorted(cluster.monitor.recorded)))
