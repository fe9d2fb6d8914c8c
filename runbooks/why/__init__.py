"""`why`: which agent broke, why, and since which version."""
