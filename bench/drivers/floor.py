"""Reads a source plainly and does nothing with it: the floor under every kind. Prints what it read and in what time."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import paramiko
import pika  # type: ignore[import-untyped]  # it has types, but does not say that it has
import requests
import sqlalchemy as sa
from lxml import etree
from python_calamine import CalamineWorkbook

from bench.kinds.services import question

Floor = Callable[..., int]
_HEAD = 3
"""Rows above the records in a template of the hub's."""


def sql(url: str, *tables: str) -> int:
    """Fetch all columns of all rows through the driver, with a cursor of the server's."""
    made = sa.make_url(url)
    engine = sa.create_engine(made if "+" in made.drivername else made.set(drivername="postgresql+psycopg2"))
    read = 0
    with engine.connect().execution_options(stream_results=True, max_row_buffer=10_000) as connection:
        for table in tables:
            for run in connection.exec_driver_sql(f"SELECT * FROM {table}").partitions(10_000):
                read += len(run)
    return read


def csvs(*files: str) -> int:
    """Read rows with the csv module."""
    return sum(_csv(Path(file)) for file in files)


def _csv(file: Path) -> int:
    with file.open(encoding="utf-8", newline="") as lines:
        return sum(1 for _ in csv.reader(lines)) - 1


def jsonl(*files: str) -> int:
    """Parse each line."""
    read = 0
    for file in files:
        with Path(file).open("rb") as lines:
            for line in lines:
                json.loads(line)
                read += 1
    return read


def xlsx(*files: str) -> int:
    """Read the cells of the first sheet."""
    read = 0
    for file in files:
        with CalamineWorkbook.from_path(file) as book:
            read += sum(1 for _ in book.get_sheet_by_index(0).iter_rows()) - 1
    return read


def workbook(file: str, *sheets: str) -> int:
    """Read the cells of these sheets; their first three rows are the template's."""
    with CalamineWorkbook.from_path(file) as book:
        return sum(sum(1 for _ in book.get_sheet_by_name(name).iter_rows()) - _HEAD for name in sheets)


def xml(*places: str) -> int:
    """Walk through the elements of a name; `places` are pairs of a file and that name."""
    read = 0
    for file, name in zip(places[::2], places[1::2], strict=True):
        for _, element in etree.iterparse(file, tag=f"{{*}}{name}"):
            read += 1
            element.clear()
    return read


def sftp(url: str, key_file: str, *names: str) -> int:
    """Fetch the files and parse each line."""
    parts = urlsplit(url)
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())  # a server that this run started itself
    client.connect(parts.hostname or "", parts.port or 22, parts.username, key_filename=key_file)
    read = 0
    with closing(client), closing(client.open_sftp()) as session:
        for name in names:
            with session.open(f"{parts.path}/{name}") as file:
                file.prefetch()
                read += sum(1 for line in file.read().splitlines() if json.loads(line))
    return read


def rest(*urls: str) -> int:
    """Ask page after page until one is empty."""
    read = 0
    with requests.Session() as session:
        for url in urls:
            number = 1
            while found := session.get(url, params={"page": number}, timeout=60).json()["data"]:
                read, number = read + len(found), number + 1
    return read


def soap(url: str, *streams: str) -> int:
    """Ask page after page and walk through the records of each answer."""
    read = 0
    with requests.Session() as session:
        for stream in streams:
            for number in range(1, sys.maxsize):
                answer = session.post(url, question(stream, number), timeout=60).content
                found = sum(1 for _ in etree.fromstring(answer).iter("{*}record"))
                if not found:
                    break
                read += found
    return read


def queue(url: str, *queues: str) -> int:
    """Take every message and parse it; the hub has queues of its own with the same messages."""
    read = 0
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        channel = connection.channel()
        for name in queues:
            waiting = channel.queue_declare(name, passive=True).method.message_count
            for number, (_, _, body) in enumerate(channel.consume(name, auto_ack=True, inactivity_timeout=10), 1):
                json.loads(body)
                if number == waiting:
                    break
            channel.cancel()
            read += waiting
    return read


def posts(url: str, folder: str) -> int:
    """Post every file, one after the other, to a service that parses it."""
    with requests.Session() as session:
        bodies = (file.read_bytes() for file in sorted(Path(folder).iterdir()))
        return sum(session.post(url, data=body, timeout=60).json()["read"] for body in bodies)


FLOORS: dict[str, Floor] = {
    "sql": sql, "csv": csvs, "jsonl": jsonl, "xlsx": xlsx, "xml": xml, "sftp": sftp, "rest": rest, "soap": soap,
    "queue": queue, "posts": posts, "workbook": workbook,
}  # fmt: skip


def main() -> None:
    """Read once; a warm operating system is part of the deal, the hub has it too."""
    name, *arguments = sys.argv[1:]
    started = time.perf_counter()
    read = FLOORS[name](*arguments)
    print(json.dumps({"work": time.perf_counter() - started, "read": read}))


if __name__ == "__main__":
    main()
