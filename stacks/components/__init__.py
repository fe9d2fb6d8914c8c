"""The backends: one module each, a pure function from environment and placement to its `Workload`."""
