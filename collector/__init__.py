"""What telemetry exists: names, collector pipelines and the helper that agents emit it with."""
