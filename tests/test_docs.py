"""The documentation says what is there."""

import re
from pathlib import Path

from tests.file_list import PAGE, ROOT, page


def test_every_file_has_its_line():
    """If this fails: `python -m tests.file_list`."""
    assert page() == PAGE.read_text()


def test_links_lead_somewhere():
    for document in [*ROOT.glob("*.md"), *ROOT.glob("deploy/*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_files_named_in_the_architecture_and_its_decisions_exist():
    text = "".join(Path(ROOT, page).read_text() for page in ("ARCHITECTURE.md", "docs/decisions.md"))
    named = set(re.findall(r"`((?:farm|broker|workers|tests|bench)/[\w/]+(?:\.py)?/?)`", text))
    assert len(named) > 20
    missing = [name for name in sorted(named) if not (ROOT / name).exists()]
    assert missing == []
