"""What an agent's process imports: the telemetry contract (`contract`), the helper that emits it (`emit`), scores.

The lowest layer: it imports nothing of the platform, and the platform imports it. Nothing is imported here, so that an
agent pays only for what it uses.
"""
