"""Provisioning: the Pulumi program, its environments and components, and the `agentobs` command."""
