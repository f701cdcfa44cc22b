"""`hub connector describe`: all that a folder says, in Markdown and in HTML that a browser and a keyboard can take."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from lxml import html as lxml_html

from connectors.loading import load_sources
from kit.describe import FORMS, page_of
from kit.describe.markdown import plain
from kit.scaffold import write
from kit.subject import Subject

SOURCES = Path(__file__).resolve().parents[2] / "demo" / "sources"
HOSTILE = "<script>alert(1)</script>|\"&'`[x](javascript:1)"


def subject_of(folder: str) -> Subject:
    return Subject.of(load_sources([SOURCES / folder])[0])


def parsed(text: str) -> Any:
    return lxml_html.document_fromstring(text, parser=lxml_html.HTMLParser(recover=False))


FOLDERS = sorted(one.parent.name for one in SOURCES.glob("*/source.yml"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_page_says_all_that_the_mapping_does(folder: str) -> None:
    subject = subject_of(folder)
    page = page_of(subject)
    tree = parsed(FORMS["html"](page))
    text = tree.text_content()
    for name in subject.source.streams:
        mapped = subject.mapping.streams[name]
        assert all(reason in text for reason in mapped.ignore.values())
        for made in mapped.yields:
            assert all(column.column.label_zh in text and column.column.name in text for column in made.columns)
    for said in (subject.source.owner.name, subject.source.legal_basis, subject.source.owner.contact):
        assert said in text
        assert plain(said) in FORMS["md"](page)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_page_stands_alone_and_is_read_by_keyboard(folder: str) -> None:
    text = FORMS["html"](page_of(subject_of(folder)))
    tree = parsed(text)
    assert text.startswith("<!DOCTYPE html>")
    assert tree.get("lang") == "zh-CN"
    assert tree.xpath("//script | //img | //iframe | //object | //link | //*[@src]") == []
    assert "url(" not in text
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    targets = [one.removeprefix("#") for one in tree.xpath("//a/@href")]
    assert targets
    assert set(targets) <= set(ids)
    assert len(tree.xpath("//h1")) == 1
    levels = [int(one.tag[1]) for one in tree.iter("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for region in tree.xpath("//div[@class='scroll']"):
        assert (region.get("tabindex"), region.get("role")) == ("0", "region")
        assert region.get("aria-label")
    for row in tree.xpath("//tbody/tr"):
        assert row[0].tag == "th"
        assert len(row) == len(row.getparent().getparent().xpath("./thead/tr/th"))


def test_a_folders_words_are_never_read_as_markup(tmp_path: Path) -> None:
    folder = write("odd", "files", None, tmp_path).folder
    source = folder / "source.yml"
    said = json.dumps(HOSTILE)
    text = source.read_text(encoding="utf-8").replace("〔数据共享依据：法规名称和条款〕", said)
    source.write_text(text, encoding="utf-8")
    page = page_of(Subject.of(load_sources([folder])[0]))
    tree = parsed(FORMS["html"](page))
    assert tree.xpath("//script") == []
    assert HOSTILE in tree.text_content()
    row = next(line for line in FORMS["md"](page).splitlines() if "alert" in line)
    assert "<script" not in row
    assert "[x](" not in row
    assert row.replace("\\|", "").count("|") == 3


def test_the_page_is_well_formed_apart_from_its_void_elements() -> None:
    text = FORMS["html"](page_of(subject_of("civil")))
    body = text[text.index("<body>") : text.index("</html>")].replace("<br>", "<br/>")
    etree.fromstring(body, parser=etree.XMLParser(resolve_entities=False, no_network=True))


def test_the_page_names_no_connection_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_CONN_CIVIL", "file:///secret/place")
    assert "secret" not in FORMS["html"](page_of(subject_of("civil")))
