"""Hand-made run of faults, as likely as a measured one. None of its figures was measured."""

import random

STEP, BEGIN, BINS, RATE = 0.5, -15.0, 150, 60.0

ENDS_ALONE = "An election takes 1 to 2 s with a heartbeat of 100 ms and a timeout of 1 s; the local proxy checks every 0.5 s."
LISTED = "With the members listed in the API server's flags, its client waits for keepalive, 30 s and 10 s more, before it asks another member."


def requests(rng, gap, failed):
    """Bins of a run in which nothing is answered between two moments, and failures follow."""
    ok, failing, slowest = [], [], []
    for number in range(BINS):
        at = BEGIN + number * STEP
        stalled = gap[0] <= at < gap[1]
        ok.append(0 if stalled else round(RATE * STEP * rng.uniform(0.7, 1)))
        failing.append(0)
        slowest.append(0.0 if stalled else round(rng.lognormvariate(-3.6, 0.35), 3))
    after = min(int((gap[1] - BEGIN) / STEP), BINS - 1)
    for _ in range(failed):
        failing[after - rng.randrange(3)] += 1
    slowest[int((gap[0] - BEGIN) / STEP)] = round(gap[1] - gap[0], 2)
    return {"step": STEP, "begin": BEGIN, "ok": ok, "failed": failing, "slowest": slowest}


def fault(  # noqa: PLR0917
    name,
    title,
    claim,
    goal,
    stall,
    failed,
    lasts,
    events,
    *,
    elsewhere=LISTED,
    limit=ENDS_ALONE,
    more=(),
):
    rng = random.Random(name)
    timeline = requests(rng, (0.3, 0.3 + stall), failed)
    asked = sum(timeline["ok"]) + failed

    def summary(share, stood, longest):
        during = max(stood * 900, 30)
        return {
            "requests": round(asked * share),
            "failed": round(failed * share),
            "stall": stood,
            "longest": round(longest, 2),
            "p50": [9.1, 11.4 if stood < 30 else None, 9.3],
            "p99": [31.0, round(during, 1), 33.5],
        }

    return {
        "name": name,
        "title": title,
        "claim": claim,
        "limit": limit,
        "elsewhere": elsewhere,
        "measures": [{"what": "service stall", "seconds": stall, "goal": goal}, *more],
        "began": 1_790_000_000.0,
        "ended": 1_790_000_000.0 + lasts,
        "events": [{"at": at, "what": what} for at, what in events],
        "summaries": {
            "all": summary(1, stall, stall * 1.6),
            "kept": summary(0.4, round(stall * 1.6, 2), stall * 1.6),
            "fresh": summary(0.4, round(stall * 1.1, 2), stall),
            "pinging": summary(0.2, round(stall * 1.4, 2), stall * 1.3),
        },
        "lost": 0,
        "stale": 0,
        "linearizable": True,
        "timeline": timeline,
    }


def without_load(fault):
    """The same, as it is recorded where no client asked."""
    return fault | {"summaries": {}, "timeline": None}


def run():
    faults = [
        fault("etcd-leader-power", "The machine of the etcd leader loses its power",
              "Another member leads within an election's time; requests that were under way are asked again, and no acknowledged write is lost.",
              3.0, 1.74, 3, 30.0,
              [(0, "etcd-1 loses its power, which led"), (0.6, "HAProxy on api-0 takes etcd-1 out"), (1.4, "etcd-2 leads, term 5"),
               (10.2, "the load balancer has 3 healthy targets"), (30.0, "etcd-1 has power again"), (41.6, "etcd-1 serves as a follower")],
              more=[{"what": "longest request, a connection each", "seconds": 1.92, "goal": 3.0},
                    {"what": "whole again after", "seconds": 41.6, "goal": None}]),
        fault("etcd-leader-silent", "The etcd leader falls silent", "Nothing says that it is gone: its packets are dropped for 30 s.",
              3.0, 7.02, 6, 30.0,
              [(0, "packets of etcd-0 are dropped, which led"), (1.6, "etcd-2 leads, term 6"), (7.0, "forwarded proposals time out"), (30, "packets pass again")],
              limit="A proposal that was forwarded to a leader that vanished is answered after etcd's request timeout, 5 s and two elections, unless the connection is ended before."),
        fault("etcd-follower-crash", "An etcd follower is killed", "Its clients go to another member at once.", 1.0, 0.08, 0, 2.1,
              [(0, "kill -9 of etcd on etcd-2"), (0.1, "systemd starts it again"), (2.1, "it serves")]),
        fault("api-power", "The machine of an API server loses its power", "Clients of the load balancer go to another API server.",
              12.0, 9.4, 14, 30.0,
              [(0, "api-1 loses its power"), (10, "the load balancer takes api-1 out"), (10.4, "kube-controller-manager on api-2 leads"), (30, "api-1 has power again"), (52.3, "api-1 is a healthy target")],
              limit="The load balancer notices after two checks, 5 s apart.", elsewhere="The same with any load balancer that checks as often.",
              more=[{"what": "longest request, a connection kept", "seconds": 15.04, "goal": 12.0}]),
        without_load(fault("controller-manager-crash", "The leading controller-manager is killed", "Its lease is released, and another leads at once.",
              5.0, 0, 0, 2.2, [(0, "kill -9 of kube-controller-manager on api-1"), (1.3, "its lease is released"), (2.2, "kube-controller-manager on api-0 leads")],
              limit="Those who stand by ask for the lease every 2 s.", elsewhere="A lease that nobody releases lasts 15 s.")
              | {"measures": [{"what": "another leads after", "seconds": 2.23, "goal": 5.0}]}),
        fault("zone-power", "A whole zone loses its power", "One member and one API server of three go, and the rest goes on.", 12.0, 10.31, 22, 30.0,
              [(0, "zone b loses its power: etcd-1, api-1"), (0.6, "HAProxy on api-0 takes etcd-1 out"), (0.7, "HAProxy on api-2 takes etcd-1 out"), (1.4, "etcd-0 leads, term 9"),
               (10, "the load balancer takes api-1 out"), (30, "zone b has power again"), (49.5, "zone b serves")]),
        fault("quorum-power", "Two of three etcd machines lose their power", "Nothing is acknowledged without a quorum; all goes on by itself when it is back.",
              None, 36.5, 131, 30.0,
              [(0, "etcd-0 and etcd-2 lose their power"), (30, "they have power again"), (36.2, "etcd-1 leads, term 12")], limit="Without a quorum there is no promise of time.", elsewhere="The same everywhere: this is what a quorum is."),
        fault("api-crash", "An API server is killed", "Its own connections break; the others do not notice.", 5.0, 0.31, 2, 3.4,
              [(0, "kill -9 of kube-apiserver on api-0"), (3.4, "it is ready")]),
        fault("all-power", "All machines lose their power", "The same cluster comes back with every acknowledged write.", 60.0, 38.5, 212, 3.0,
              [(0, "all 6 machines lose their power"), (3, "they have power again"), (24.8, "etcd-0 leads, term 15"), (38.5, "3 healthy targets")], limit="A machine needs about 30 s from power to a ready API server."),
    ]  # fmt: skip
    return {
        "commit": "0123abc", "date": "2000-01-01",
        "machine": {"cores": 2, "memory_gib": 7.8, "kernel": "6.12.0", "load": "2 to 4"},
        "versions": {"kubernetes": "1.36.3", "etcd": "3.6.14"},
        "command": "python -m lab prove -- --failures", "faults": faults,
    }  # fmt: skip
