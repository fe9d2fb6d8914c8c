"""Tables say what a person calls a thing, and links of their rows still carry its key."""

import json
import re

import pytest

from alerts.catalogue import CATALOGUE, DIMENSIONS
from dashboards import documents
from dashboards.boards import BOARDS
from dashboards.documents import Sites
from dashboards.lib.model import Table

MADE = documents.provisioned(Sites(), editable=False)
WORDS = {
    "kpi": {kpi.key: kpi.title for kpi in CATALOGUE},
    "dimension": {dimension.key: dimension.title for dimension in DIMENSIONS},
}
TABLES = [(board.slug, panel) for board in BOARDS for panel in board.panels() if isinstance(panel, Table)]
KEYED = [(slug, table, each) for slug, table in TABLES for each in table.columns if each.label in WORDS]


def made(slug, title):
    panels = [*MADE[slug]["panels"], *(inner for each in MADE[slug]["panels"] for inner in each.get("panels", []))]
    return next(panel for panel in panels if panel["title"] == title)


def properties(panel, name):
    found = [each for each in panel["fieldConfig"]["overrides"] if each["matcher"]["options"] == name]
    return {each["id"]: each["value"] for override in found for each in override["properties"]}


@pytest.mark.parametrize(("slug", "table", "column"), KEYED, ids=lambda each: getattr(each, "title", each))
def test_keys_of_the_catalogue_are_shown_as_titles(slug, table, column):
    (mapping,) = properties(made(slug, table.title), column.title)["mappings"]
    assert {key: word["text"] for key, word in mapping["options"].items()} == WORDS[column.label]


def test_a_kpi_is_written_as_people_write_it():
    assert {column.title for _, _, column in KEYED} == {"KPI", "Dimension"}


def test_there_are_tables_of_both_kinds_of_keys():
    assert {column.label for _, _, column in KEYED} == WORDS.keys()


@pytest.mark.parametrize(("slug", "table"), TABLES, ids=lambda each: getattr(each, "title", each))
def test_a_link_gets_the_key_and_the_row_shows_it_nowhere(slug, table):
    """Grafana fills in the text that is shown: the title of a KPI is no value of the variable `kpi`."""
    panel = made(slug, table.title)
    read = set(re.findall(r'fields\[\\"(\w+)\\"\]', json.dumps(panel["fieldConfig"])))
    assert not read & WORDS.keys()
    (kept,) = [each["options"]["include"]["names"] for each in panel["transformations"] if "include" in each["options"]]
    for copy in read - {column.label for column in table.columns}:
        label = copy.removesuffix("_key")
        assert label in WORDS
        assert copy in kept
        assert properties(panel, copy) == {"custom.hidden": True, "custom.hideFrom.viz": True}
        for target in panel["targets"]:
            assert target["expr"].startswith("label_replace(")
            assert f'"{copy}", "$1", "{label}"' in target["expr"]
