module ha-kubernetes/lab/binaries/pause

go 1.26.0
