"""All shapes by name, and how the hub reaches the departments' systems."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

from demo.catalog import PLATFORM
from demo.model import Shape
from demo.services.settings import ServiceSettings, settings_of
from demo.shapes.case_xml import CaseXmlShape
from demo.shapes.change_log import ChangeLogShape
from demo.shapes.contracts import SOURCES
from demo.shapes.county_platform import CountyPlatformShape
from demo.shapes.databases import department_url, server_base
from demo.shapes.double_publicity import DoublePublicityShape
from demo.shapes.event_log import EventLogShape
from demo.shapes.excel import ExcelShape
from demo.shapes.front_end import FrontEndShape
from demo.shapes.gbk_csv import GbkCsvShape
from demo.shapes.guangdong_ex import GuangdongExShape
from demo.shapes.layout import department_folder
from demo.shapes.national_up_pro import NationalUpProShape
from demo.shapes.push import PushShape
from demo.shapes.queue import QueueShape
from demo.shapes.registers import ItemCatalogueShape, OrganRegisterShape, RegionRegisterShape
from demo.shapes.rest import RestShape
from demo.shapes.sftp import SftpShape
from demo.shapes.shenzhen_xml import ShenzhenXmlShape
from demo.shapes.singer import SingerShape
from demo.shapes.soap import SoapShape
from demo.shapes.vertical import VerticalShape
from demo.shapes.workbook import WorkbookShape
from demo.shapes.zhejiang_pre import ZhejiangPreShape

_ALL: tuple[Shape, ...] = (
    ZhejiangPreShape(),
    NationalUpProShape(),
    GuangdongExShape(),
    GbkCsvShape(),
    ExcelShape(),
    WorkbookShape(),
    ShenzhenXmlShape(),
    CaseXmlShape(),
    RestShape(),
    EventLogShape(),
    DoublePublicityShape(),
    VerticalShape(),
    FrontEndShape(),
    SoapShape(),
    QueueShape(),
    PushShape(),
    SftpShape(),
    ChangeLogShape(),
    SingerShape(),
    CountyPlatformShape(),
    OrganRegisterShape(),
    RegionRegisterShape(),
    ItemCatalogueShape(),
)
SHAPES: Mapping[str, Shape] = {shape.name: shape for shape in _ALL}
"""Every shape of system that the province has."""

_SQLITE = {"national_up_pro": "up_pro.sqlite", "item_catalogue": "catalogue.sqlite"}
_POSTGRES = frozenset({"zhejiang_pre", "guangdong_ex", "front_end"})
_SERVED: Mapping[str, Callable[[ServiceSettings, str], str]] = {
    "rest": ServiceSettings.rest_url,
    "soap": ServiceSettings.soap_url,
    "queue": ServiceSettings.amqp_url,
    "sftp": ServiceSettings.sftp_url,
}


def connections(home: Path) -> dict[str, str]:
    """Return the URL of every department's system by connection id, which is the department's code.

    Those who post have none: they come to the hub.
    """
    with Path(__file__).with_name("roster.csv").open(encoding="utf-8", newline="") as lines:
        roster = {row["code"]: row["shape"] for row in csv.DictReader(lines)}
    with (SOURCES / "county-platform" / "instances.csv").open(encoding="utf-8", newline="") as lines:
        roster |= {row["code"]: PLATFORM for row in csv.DictReader(lines)}
    return {code: _url(home, code, shape) for code, shape in roster.items() if shape != PushShape.name}


def _url(home: Path, code: str, shape: str) -> str:
    if shape in _POSTGRES:
        return department_url(server_base(home), code)
    folder = department_folder(home, code)
    if shape in _SQLITE:
        return f"sqlite:///{folder / _SQLITE[shape]}"
    if shape in _SERVED:
        return _SERVED[shape](settings_of(home), code)
    return (folder / "out").as_uri()
