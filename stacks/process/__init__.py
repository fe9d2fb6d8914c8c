"""Process realiser: runs workloads on this computer under supervisord, driven by Pulumi dynamic resources."""
