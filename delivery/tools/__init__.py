"""MCP servers looked at from outside: whether they keep their contract, and what a new version changed.

`testing` has the checks of one server, `surfaces` compares two lists of tools, `verifying` a live server with tapes.
"""
