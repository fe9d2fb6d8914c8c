"""Pages are read strictly: what is missing, misspelt or in the wrong place is named with file and fix."""

import pytest

from runbooks.book import library, prose
from runbooks.book.kinds import Kind
from runbooks.book.prose import Language, ProseError

SECTIONS = Kind.ALERT.sections
WHOLE = "\n\n".join(f"## {title}\n\nSome words." for title in SECTIONS)


def read(text, kind=Kind.ALERT):
    return prose.read(kind, "ToolFailing", "runbooks/pages/ToolFailing.md", text)


BAD = {
    "a title on the page of an alert": ("# Tool\n\n" + WHOLE, "a title; it is generated"),
    "an unknown section": (WHOLE.replace("## Verify", "## Check"), "section 'Check'; fix: one of Meaning"),
    "a missing section": (WHOLE.partition("## Escalation")[0], "no section Escalation"),
    "a section twice": (WHOLE + "\n\n## Meaning\n\nAgain.", "in this order"),
    "another order": (
        WHOLE.replace("Impact", "X").replace("Meaning", "Impact").replace("X", "Meaning"),
        "in this order",
    ),
    "an empty section": (WHOLE.replace("## Impact\n\nSome words.", "## Impact"), "'Impact' is empty"),
    "an unknown fence": (WHOLE + "\n\n```sql\nselect 1\n```", "a fence of 'sql'"),
    "a store's language": (WHOLE + "\n\n```traceql\n{ }\n```", "a fence of 'traceql'; fix: one of promql, bash"),
    "another store's language": (WHOLE + "\n\n```logql\n{}\n```", "a fence of 'logql'"),
    "a fence without a language": (WHOLE + "\n\n```\nx\n```", "a fence of no language"),
    "not-run without a reason": (WHOLE + "\n\n```bash not-run:\nx\n```", "without a reason"),
    "not-run of a query": (WHOLE + "\n\n```promql not-run: x\nup\n```", "after the fence"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_page_is_refused_with_file_and_reason(case):
    text, message = BAD[case]
    with pytest.raises(ProseError, match=r"runbooks/pages/ToolFailing\.md") as error:
        read(text)
    assert message in str(error.value)


@pytest.mark.parametrize("text", ["Text\n\n# Title\n\n## A\n\nb", "## A\n\nb", "# One\n\n# Two\n\n## A\n\nb"])
def test_a_guide_begins_with_its_only_title(text):
    with pytest.raises(ProseError, match="in the first line and nowhere else"):
        read(text, Kind.GUIDE)


def test_a_page_is_its_sections_fences_links_and_words():
    page = read(WHOLE + "\n\nSee [that](AgentFailing.md).\n\n```bash not-run: needs a cluster\nkubectl get pods\n```")
    assert tuple(section.title for section in page.sections) == SECTIONS
    (fence,) = page.fences
    assert (fence.language, fence.not_run, fence.text) == (Language.BASH, "needs a cluster", "kubectl get pods\n")
    assert [each.target for each in page.links] == ["AgentFailing.md"]
    assert page.words == 2 * len(SECTIONS) + 2


def test_a_heading_inside_a_fence_is_none():
    page = read(WHOLE + "\n\n```bash\n## Not a heading\n```")
    assert len(page.sections) == len(SECTIONS)


def test_all_bad_pages_are_named_at_once(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "ToolFailing.md").write_text("## Meaning")
    (tmp_path / "pages" / "NoSuchAlert.md").write_text(WHOLE)
    with pytest.raises(ProseError) as error:
        library.load(tmp_path)
    assert "ToolFailing.md: no section Impact" in str(error.value)
    assert "no alert is called NoSuchAlert; fix: rename or delete the file" in str(error.value)


def test_what_is_not_written_yet_is_missing(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "ToolFailing.md").write_text(WHOLE)
    found = library.load(tmp_path)
    assert [*found.pages] == ["ToolFailing"]
    assert "AgentFailing" in found.missing
    assert "kill-switch" in found.missing
    assert "ToolFailing" not in found.missing
