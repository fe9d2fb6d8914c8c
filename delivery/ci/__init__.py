"""Workflows for the repository of a system of agents: lint prompts, test tools, replay, compare, block; then deliver.

`steps` has the commands, the same everywhere; `github` and `gitlab` say them in the words of a platform.
"""
