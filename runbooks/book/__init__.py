"""The runbooks: pages that people wrote, checked, and what is generated around them. Pure but for reading the pages."""
