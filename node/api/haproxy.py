"""The local load balancer between an API server and the etcd members. Pure."""

from collections.abc import Sequence

from node.membership import Member

# hard-stop-after: after a reload the old process checks nobody's health any more, so connections
# that stayed with it would hang on a silent member.
_HEAD = """\
global
  log stdout format raw local0
  maxconn 4000
  hard-stop-after 30s
defaults
  mode tcp
  log global
  option tcplog
  option redispatch
  timeout connect 1s
  timeout check 1s
  timeout client 1h
  timeout server 1h
listen etcd
  bind 127.0.0.1:2379
  balance leastconn
  option httpchk GET /health?exclude=NOSPACE
  http-check expect status 200
  default-server check port 2381 inter 500ms fastinter 250ms fall 2 rise 2 \
on-marked-down shutdown-sessions
"""


def render(members: Sequence[Member]) -> str:
    """The configuration for a membership, the same for any order of it."""
    servers = sorted(f"  server {m.name} {m.address}:2379\n" for m in members)
    return _HEAD + "".join(servers)
