"""Writes a department's page of its source folder, in Markdown and in HTML."""

from collections.abc import Callable, Mapping

from kit.describe.html import html
from kit.describe.markdown import markdown
from kit.describe.page import Page, page_of

FORMS: Mapping[str, Callable[[Page], str]] = {"md": markdown, "html": html}
"""The forms of the page by name."""

__all__ = ["FORMS", "Page", "page_of"]
