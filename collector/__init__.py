"""What the collector makes of telemetry: pipelines, prices, redaction, sampling, and searches in what is stored."""
