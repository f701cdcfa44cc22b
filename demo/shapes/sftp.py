"""The old window program once more, on a machine that the hub reaches by SFTP only.

One department (source folder `sftp-drop`): the files are those of the GBK shape, the hub moves them into `done` after
the commit and refused ones into `bad`. A file that is being uploaded lies beside them on day 1 and must not be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demo.model import Defect, Department, Placed, UnitMark
from demo.shapes.folders import part_name
from demo.shapes.gbk_csv import GbkCsvShape
from demo.shapes.layout import department_folder

_HALF = "审批过程登记表\r\n过程编号,办件编号,环节\r\nP1,330000"


class SftpShape(GbkCsvShape):
    """GB18030 files on an SFTP server (`demo.services.sftp`)."""

    name = "sftp"

    def spoiled_units(
        self, department: Department, work: Any, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Begin the upload of tomorrow's file, and end it tomorrow."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        half = department_folder(home, department.code) / "out" / f"审批过程_{part_name(work, 2, 1)}.csv.part"
        if not dry and day == 1:
            half.write_bytes(_HALF.encode("gb18030"))
        elif not dry:
            half.unlink()
