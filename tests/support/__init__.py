"""What several tiers of tests share: OTLP in, OTLP out, and a real collector between them."""
