"""Every module in one line, from its own docstring: `python -m tests.file_list` writes docs/files.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "files.md"
PACKAGES = ("broker", "farm", "workers")
HEAD = """# Every file, in one line

Written by `python -m tests.file_list` from the files' own first sentences; a test holds it to them.
"""


def page() -> str:
    """Return what docs/files.md must say."""
    return "\n".join([HEAD, *(_section(package) for package in PACKAGES)])


def _section(package: str) -> str:
    paths = sorted((ROOT / package).rglob("*.py"), key=lambda path: (path.parent.parts, path.name))
    lines = [f"- `{path.relative_to(ROOT)}`: {_sentence(path)}" for path in paths]
    return f"## {package}\n\n" + "\n".join(lines) + "\n"


def _sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    paragraph = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=[.:]) (?=[A-Z`])", paragraph)[0].rstrip(":")


if __name__ == "__main__":
    PAGE.write_text(page())
