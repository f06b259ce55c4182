"""What the figure of replication reads from etcd's benchmark and from etcd."""

import pytest

from lab.tests.figures.replication import Outcome, Summary, Usage, _row, summary, usage

SAID = """
Summary:
  Total:\t1.2 secs.
  Requests/sec:\t836.25

Latency distribution:
  10% in 0.0005 secs.
  50% in 0.00075 secs.
  99% in 0.0096 secs.
  99.9% in 0.02 secs.
"""

METRICS = """\
# TYPE etcd_network_peer_sent_bytes_total counter
etcd_network_peer_sent_bytes_total{To="a1"} 1.5e+06
etcd_network_peer_sent_bytes_total{To="b2"} 500
process_cpu_seconds_total 2.25
"""


def test_a_summary_is_read_from_what_the_benchmark_says():
    assert summary(SAID) == Summary(836.25, 0.00075, 0.0096)


@pytest.mark.parametrize("said", ["", f"{SAID}\nError distribution:\n  [3]\tetcdserver: timeout\n"])
def test_writes_that_failed_are_no_figure(said):
    with pytest.raises(ValueError, match="the benchmark failed"):
        summary(said)


def test_a_member_sends_to_all_others_together():
    assert usage(METRICS) == Usage(2.25, 1_500_500)


def test_a_row_is_the_medians_and_the_range_of_writes_a_second():
    outcomes = [
        Outcome(Summary(rate, 0.001, 0.002), Usage(0.0005, sent), 0.003)
        for rate, sent in ((100, 2300), (300, 2400), (120, 2360))
    ]
    assert _row(3, outcomes) == (3, "120 (100 to 300)", "1.00", "2.00", "0.50", "2,360", "3.00")
