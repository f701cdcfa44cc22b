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
        "Organ · 数据单位": header.organ or "named by each row",
        "Region · 行政区划": header.region,
        "Kind": header.kind,
        "Profile": header.profile or "own mapping",
        "Connection": f"`{header.connection}`" if header.connection else "none: the department posts",
        "Schedule": f"`{header.schedule}` ({header.time_zone})" if header.schedule else "by hand",
        "Streams": ", ".join(f"`{stream}`" for stream in header.streams),
    }
    rows = "\n".join(f"| {name} | {_plain(value)} |" for name, value in facts.items() if value)
    return (
        f"# {_plain(header.title)}\n\n{_plain(header.title_en)}\n\n| | |\n|---|---|\n{rows}\n\n"
        f"Look next: `hub source check {header.code}`, `hub ledger {header.code}`, "
        f"`hub quarantine list {header.code}`, `hub finding list {header.code}`.\n"
    )


def _plain(text: str) -> str:
    """Keep a folder's words from being read as table borders or as a second line of Markdown."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
