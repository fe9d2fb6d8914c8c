"""Boards of the catalogue, for Grafana and as a report. Pure: functions from the catalogue to documents."""
