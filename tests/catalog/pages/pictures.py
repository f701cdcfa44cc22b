"""Makes docs/pictures/pages-item.png of a plain item: `pytest tests/catalog/pages/pictures.py`. **Look** at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.catalog.items import code, content, published
from tests.catalog.pages.conftest import Site
from tests.quality.pages import chromium

PICTURE = Path(__file__).resolve().parents[3] / "docs" / "pictures" / "pages-item.png"
LAND, PLAN, BUILD = (code(number) for number in (41, 42, 43))


def test_the_picture_of_an_item(site: Site) -> None:
    needs: list[dict[str, Any]] = [
        {"name": "用地与规划", "holder": "project", "valid_on": "acceptance", "any_of": [{"item": LAND}]},
        {"name": "规划许可", "holder": "project", "valid_on": "acceptance", "any_of": [
            {"item": PLAN}, {"credential": "建设工程规划许可证"},
        ]},
        {"name": "主体资格", "holder": "applicant", "valid_on": "application", "any_of": [{"credential": "营业执照"}]},
    ]  # fmt: skip
    results = [{"kind": "credential", "type": "建筑工程施工许可证", "name": "建筑工程施工许可证"}]
    law = ["《中华人民共和国建筑法》第七条"]
    published(site.engine, LAND, content=content(name="建设用地规划许可", legal_basis=law))
    published(site.engine, PLAN, content=content(name="建设工程规划许可", legal_basis=law))
    published(site.engine, BUILD, content=content(
        name="建筑工程施工许可", name_en="Construction permit", requirements=needs, results=results, legal_basis=law,
        place="政务服务中心二楼 12 号窗口", telephone="0571-12345",
        stages=[
            {"stage": "accept", "limit": {"value": 1, "unit": "working_day"}, "unit": "综合窗口", "post": "窗口人员"},
            {"stage": "review", "limit": {"value": 6, "unit": "working_day"}, "unit": "建筑业处", "post": "科长"},
            {"stage": "approve", "limit": {"value": 3, "unit": "working_day"}, "unit": "建筑业处", "post": "处长"},
        ],
        materials=[{"name": "施工许可申请表"}, {"name": "施工图设计文件审查合格书"}, {"name": "中标通知书"}],
    ))  # fmt: skip
    with chromium.running() as browser, chromium.stranger(browser, site.url, "zh") as page:
        page.goto(f"{site.url}/items/{BUILD}")
        page.screenshot(path=PICTURE, full_page=True)
