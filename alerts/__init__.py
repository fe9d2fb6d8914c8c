"""What we promise: the KPI catalogue and the rules, routes and queries that follow from it."""
