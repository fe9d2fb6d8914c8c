"""What boards are made of: queries, panels, thresholds, links, variables, layout, and the JSON that Grafana imports."""
