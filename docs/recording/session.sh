# What the picture of the README shows: typed and run one after the other, on machines that boot.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf '\n\033[2m# %s\033[0m\n' "$*"; }
run() {
  printf '\033[1m$ %s\033[0m\n' "$*"
  sleep 1
  eval "$*"
  sleep 3
}

say "A cluster of three API servers and three etcd members, on this computer"
run make machines
. .lab/env
run lab status
say "Five members: two join, and no existing machine is touched"
run pulumi config set --path etcd.size 5 --stack local
run pulumi up --yes --skip-preview --suppress-outputs --stack local
until lab status | grep -q 'cluster: ready'; do sleep 1; done
run lab status
leader=$(lab status | awk '$1 ~ /^etcd-/ && $NF == "etcd" { print $1 }')
say "The member that leads loses its power"
run lab power-cut "$leader"
run lab kubectl create configmap after-the-failure
run lab status
