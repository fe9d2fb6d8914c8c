"""Prompts as files: what is wrong with one before an agent reads it. Nothing is run and nobody is asked.

`reading` takes a file apart, `rules` look at it, `versions` remember which text a version had, `sarif` tells CI.
"""
