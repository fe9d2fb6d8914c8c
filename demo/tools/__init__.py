"""The MCP tool servers of the support desk: each is a separate process, `python -m demo.tools <server> ...`."""
