"""The runbooks as a site of plain files: no network, no server, with search, for a screen and for paper."""

from runbooks.site.build import render

__all__ = ["render"]
