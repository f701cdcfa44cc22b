"""Invented people, companies and officials. Nobody of them exists, and none of their numbers can be anybody's.

Numbers are valid in form and check character, but resident numbers and credit codes name counties (…95 to …99) that
were never assigned, and mobile numbers begin with 154, which no operator has. The same index gives the same person
in every department, so that departments share applicants.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, TypeVar

from demo.model import Company, PartyKind, Person, Region, Staff
from hub.identifiers import credit_code, organisation_code, resident_id

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

Element = TypeVar("Element")

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_FIRST = "晏攸昱珩翊沅汐澈彧煊祁祺钰瑾璟琮琬琰韫芷蘅荞苒葳菡萱蓁涵湛泓淇沐澄溪潇昕晟曜晗睿舒筱绮纾缙骁驰屹峥嵘岚峻"
_SECOND = (
    "安宁远航舟帆川渊渟棠桐楠梓榆桦柏松筠竹兰蕙薇蔓菱荷莲芸茗苓霖霁雯霏霆云岩岳峰岭原野禾穗谷稷辰晨旭晖曦朗晴暄和煦"
)
_TRADES = "晟恒瑞泽启宏润嘉腾远弘毅景澄云帆星禾沛峰锦程博雅同创致和凌越泰宁盛楠"
_FIELDS = (
    "科技",
    "建筑工程",
    "商贸",
    "食品",
    "医药",
    "环保",
    "文化传媒",
    "物流",
    "农业开发",
    "机械制造",
    "新材料",
    "能源",
)
_ROADS = ("松涛", "望湖", "锦绣", "南屏", "朝晖", "云栖", "青林", "丰泽", "临溪", "文渊", "长堤", "兴港")
_POSTS = ("科员", "科员", "科员", "科长", "科长", "处长", "厅领导")
_KINDS: tuple[PartyKind, ...] = ("enterprise",) * 7 + ("individual_business", "institution", "social")
_MAKERS = {"enterprise": ("9", "1"), "individual_business": ("9", "2"), "institution": ("1", "2"), "social": ("5", "1")}
_SUFFIX = {"enterprise": "有限公司", "individual_business": "经营部", "institution": "研究院", "social": "协会"}
_NOT_BEFORE = date(1950, 1, 1)
_YEARS = 52 * 365
_PEOPLE, _COMPANIES, _STAFF = 1, 2, 3


class Dice(Random):
    """Random numbers whose plain draws take a third of the time: the generator's speed is that of its draws."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """Draw from `start` (0 if it stands alone) up to, not including, `stop`; steps are always one."""
        del step
        if stop is None:
            return int(self.random() * start)
        return start + int(self.random() * (stop - start))

    def choice(self, seq: SupportsLenAndGetItem[Element]) -> Element:
        """Draw one of these."""
        return seq[int(self.random() * len(seq))]


def dice(seed: int, *place: int) -> Random:
    """Return the random numbers of one place (a department, a case, a person): equal for equal arguments."""
    mixed = seed
    for part in place:
        mixed = (mixed * 1_000_003 + part + 1) & 0xFFFF_FFFF_FFFF_FFFF_FFFF
    return Dice(mixed)


def name(random: Random) -> str:
    """Return an invented name of three characters."""
    return random.choice(_SURNAMES) + random.choice(_FIRST) + random.choice(_SECOND)


def phone(random: Random) -> str:
    """Return a mobile number of a block that no operator has."""
    return f"154{random.randrange(20_000_000, 99_999_999)}"


def address(random: Random, county: Region, city: Region) -> str:
    """Return an invented address in a county of the province."""
    road, house, room = random.choice(_ROADS), random.randrange(1, 900), random.randrange(101, 2800)
    return f"{city.name}{county.name}{road}路{house}号{random.randrange(1, 30)}幢{room}室"


class People:
    """The people and companies of the province, by index; made anew at each look, kept nowhere."""

    def __init__(self, seed: int, regions: tuple[Region, ...]) -> None:
        self._seed = seed
        self._cities = {region.code: region for region in regions if region.level == "city"}
        self._counties = [region for region in regions if region.level == "county"]

    def person(self, index: int) -> Person:
        """Return the person of this index."""
        random = dice(self._seed, _PEOPLE, index)
        county = random.choice(self._counties)
        born = _NOT_BEFORE + timedelta(days=random.randrange(_YEARS))
        return Person(
            name=name(random),
            resident_id=resident_id.make(_never_assigned(county, random), born, random.randrange(1, 990)),
            phone=phone(random),
            address=address(random, county, self._cities[county.parent or ""]),
        )

    def company(self, index: int) -> Company:
        """Return the company of this index."""
        random = dice(self._seed, _COMPANIES, index)
        county = random.choice(self._counties)
        city = self._cities[county.parent or ""]
        kind = random.choice(_KINDS)
        department, form = _MAKERS[kind]
        words = random.choice(_TRADES) + random.choice(_TRADES) + random.choice(_FIELDS)
        return Company(
            name=f"{city.name[:2]}{words}{_SUFFIX[kind]}",
            kind=kind,
            credit_code=credit_code.make(
                f"MA{random.randrange(1_000_000):06d}",
                department=department,
                kind=form,
                region=_never_assigned(county, random),
            ),
            legal_person=self.person(-index - 1),
            phone=phone(random),
            address=address(random, county, city),
        )


def organisation(code: str) -> str:
    """Return the organisation code that a credit code carries inside."""
    return organisation_code.make(code[8:16])


def staff(seed: int, department: int, cases: int) -> tuple[Staff, ...]:
    """Return the officials of a department: more where there are more cases, each post at least once."""
    random = dice(seed, _STAFF, department)
    count = max(len(_POSTS), min(60, 6 + cases // 400))
    return tuple(
        Staff(
            name=name(random),
            number=f"{department:02d}{place + 1:04d}",
            post=_POSTS[place % len(_POSTS)],
            unit="行政审批处" if place % 2 else "政务服务窗口",
        )
        for place in range(count)
    )


def posts_of(officials: Sequence[Staff]) -> dict[str, list[Staff]]:
    """Return the officials by their post."""
    found: dict[str, list[Staff]] = {}
    for official in officials:
        found.setdefault(official.post, []).append(official)
    return found


def _never_assigned(county: Region, random: Random) -> str:
    return f"{county.code[:4]}{random.randrange(95, 100)}"
