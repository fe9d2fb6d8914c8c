"""The Kubernetes realiser: workloads to plain manifests (pure), and manifests to resources of Pulumi."""
