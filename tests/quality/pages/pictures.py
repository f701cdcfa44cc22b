"""`python -m tests.quality.pages.pictures`: makes the pictures of docs/pictures from the demonstration's data."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.quality.pages import chromium, province
from tests.quality.pages.journey import mended

PICTURES = Path(__file__).resolve().parents[3] / "docs" / "pictures"


def main() -> None:
    """Make them."""
    with (
        tempfile.TemporaryDirectory(prefix="hub-pictures-") as folder,
        province.demonstrated(Path(folder) / "home") as (url, runtime),
        chromium.running() as browser,
    ):
        mended(browser, url, province.MEND, lambda: province.quality(runtime), picture)
        with chromium.person(browser, url, "anna", "en") as page:
            page.goto(f"{url}/quality")
            picture(page, "overview-en")


def picture(page: Page, name: str) -> None:
    """Keep a picture of what a person sees."""
    if name == "department":  # the trend, too, is to be seen
        page.wait_for_function("!window.Bokeh || Bokeh.documents.every((one) => one.is_idle)")
    page.screenshot(path=PICTURES / f"pages-{name}.png")


if __name__ == "__main__":
    main()
