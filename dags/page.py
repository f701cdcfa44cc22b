"""The page of a source in Airflow's user interface, made of what its folder says."""

from __future__ import annotations

from dags.headers import Header


def page(header: Header) -> str:
    """Return the Markdown page of a source: who keeps it, on what ground, what comes from it, where to look next."""
    if header.faults:
        faults = "\n".join(f"- `{_plain(fault)}`" for fault in header.faults)
        return f"# {_plain(header.code)}\n\nThis source cannot be read before its folder is mended:\n\n{faults}\n"
    facts = {
        "Owner · 归口单位": f"{header.owner} ({header.owner_organ})" if header.owner_organ else header.owner,
        "Contact · 联系方式": header.contact,
        "Legal basis · 依据": header.legal_basis,
        "Organ · 数据单位": "" if header.members else header.organ or "named by each row",
        "Region · 行政区划": header.region,
        "Kind": header.kind,
        "Profile": header.profile or "own mapping",
        "Connection": _connection(header),
        "Schedule": f"`{header.schedule}` ({header.time_zone})" if header.schedule else "by hand",
        "Sources": ", ".join(f"`{one.code}`" for one in header.members),
        "Streams": ", ".join(f"`{stream}`" for stream in header.streams),
    }
    code = header.members[0].code if header.members else header.code
    rows = "\n".join(f"| {name} | {_plain(value)} |" for name, value in facts.items() if value)
    return (
        f"# {_plain(header.title)}\n\n{_plain(header.title_en)}\n\n| | |\n|---|---|\n{rows}\n\n"
        f"Look next: `hub source check {code}`, `hub ledger {code}`, "
        f"`hub quarantine list {code}`, `hub finding list {code}`.\n"
    )


def _connection(header: Header) -> str:
    if header.members:
        return "one of each source"
    return f"`{header.connection}`" if header.connection else "none: the department posts"


def _plain(text: str) -> str:
    """Keep a folder's words from being read as table borders or as a second line of Markdown."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
