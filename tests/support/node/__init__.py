"""One real Kubernetes node in namespaces of its own: its processes, network and mounts end with its first process."""
