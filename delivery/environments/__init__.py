"""What runs where: numbered states of an environment, and the typed operations that make the next one."""
