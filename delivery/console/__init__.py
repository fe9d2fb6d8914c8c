"""The console: pages that the release controller makes, for people. Plain forms and links, no script at all."""
