"""Fills a department's system in `zhejiang-pre` shape: cases with their stage events, made by the database itself.

Every case has `events` stage events (five stages and repeated reviews); applicants are natural persons with valid
numbers. The rows are clean: what is measured is the work on good data.
"""

from __future__ import annotations

import json
from pathlib import Path

import sqlalchemy as sa

PROFILE = Path(__file__).resolve().parent.parent / "connectors" / "profiles" / "zhejiang-pre"

_CASES = """
INSERT INTO pre.pre_apasinfo ({columns})
SELECT
    '330000' || to_char(t, 'YYMMDD') || lpad(i::text, 9, '0'),
    '11330000002482285J2330117021000', '3', '劳务派遣经营许可',
    '关于第' || i || '号劳务派遣经营许可的申请', '2', '李' || chr(20000 + i %% 4000) || chr(20100 + i %% 97), '111',
    body || substr('10X98765432', 1 + (
        7 * substr(body, 1, 1)::int + 9 * substr(body, 2, 1)::int + 10 * substr(body, 3, 1)::int
        + 5 * substr(body, 4, 1)::int + 8 * substr(body, 5, 1)::int + 4 * substr(body, 6, 1)::int
        + 2 * substr(body, 7, 1)::int + 1 * substr(body, 8, 1)::int + 6 * substr(body, 9, 1)::int
        + 3 * substr(body, 10, 1)::int + 7 * substr(body, 11, 1)::int + 9 * substr(body, 12, 1)::int
        + 10 * substr(body, 13, 1)::int + 5 * substr(body, 14, 1)::int + 8 * substr(body, 15, 1)::int
        + 4 * substr(body, 16, 1)::int + 2 * substr(body, 17, 1)::int) %% 11, 1),
    '139' || lpad((i::bigint * 7919 %% 100000000)::text, 8, '0'), '310013', '杭州市西湖区文三路' || i %% 900 || '号',
    '11330000002482285J', '省人力社保厅', '11330000002482285J', 'u' || i %% 300, '周敏', '2', '1', '1', '0',
    to_char(t, 'YYYY-MM-DD HH24:MI:SS'), '330000', '1', 'sys07', to_char(t + interval '5 min', 'YYYY-MM-DD HH24:MI:SS'),
    'I', 1
FROM (
    SELECT i, timestamp '2025-01-02 08:30' + i * interval '31 seconds' AS t,
           '330106' || to_char(date '1960-01-01' + (i * 13 %% 14000)::int, 'YYYYMMDD')
           || lpad((i %% 1000)::text, 3, '0') AS body
    FROM generate_series(1, :cases) AS i
) AS made ORDER BY i
"""

_EVENTS = """
INSERT INTO pre.pre_node ({columns})
SELECT
    'n' || lpad(((i - 1) * :events + e)::text, 12, '0'), '330000' || to_char(t, 'YYMMDD') || lpad(i::text, 9, '0'), '1',
    (ARRAY['窗口受理', '承办人办理', '处室审核', '厅领导批准', '办结'])[least(e, 5)],
    '周' || chr(20000 + (i + e) %% 300), '材料齐全，符合规定条件',
    to_char(t + e * interval '3 hours', 'YYYY-MM-DD HH24:MI:SS'),
    to_char(t + e * interval '3 hours' + interval '40 min', 'YYYY-MM-DD HH24:MI:SS'),
    '行政审批处', '11330000002482285J',
    (ARRAY['ACCEPT', 'UNDERTAKE', 'REVIEW', 'APPROVE', 'COMPLETE'])[least(e, 5)],
    '330000', 'sys07', to_char(t + e * interval '3 hours' + interval '45 min', 'YYYY-MM-DD HH24:MI:SS'), 'I', 1
FROM generate_series(1, :cases) AS i
CROSS JOIN LATERAL (SELECT timestamp '2025-01-02 08:30' + i * interval '31 seconds' AS t) AS at
CROSS JOIN generate_series(1, :events) AS e
ORDER BY i, e
"""

_CASE_COLUMNS = [
    "PROJID", "SERVICECODE", "SERVICEVERSION", "SERVICENAME", "PROJECTNAME", "INFOTYPE", "APPLYNAME",
    "APPLY_CARDTYPE", "APPLY_CARDNUMBER", "TELPHONE", "POSTCODE", "ADDRESS", "DEPTID", "DEPTNAME", "SS_ORGCODE",
    "RECEIVE_USEID", "RECEIVE_NAME", "APPLYFROM", "APPLY_TYPE", "BUS_MODE", "IS_MANUBRIUM", "RECEIVETIME", "AREACODE",
    "DATASTATE", "BELONGSYSTEM", "CREATE_TIME", "SYNC_STATUS", "DATAVERSION",
]  # fmt: skip
_EVENT_COLUMNS = [
    "UNID", "PROJID", "ACTION", "NODE_NAME", "NAME", "OPINION", "START_TIME", "END_TIME", "HANDER_DEPTNAME",
    "HANDER_DEPTID", "PHASE_CODE", "AREACODE", "BELONGSYSTEM", "CREATE_TIME", "SYNC_STATUS", "DATAVERSION",
]  # fmt: skip


def fill(url: str, *, cases: int, events: int) -> None:
    """Make the schema `pre` anew and fill it."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS pre CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA pre")
        for stream in ("PRE_APASINFO", "PRE_NODE"):
            schema = json.loads((PROFILE / f"{stream}.schema.json").read_text(encoding="utf-8"))
            columns = ", ".join(
                f'"{name}" {"integer" if name == "DATAVERSION" else "text"}' for name in schema["properties"]
            )
            connection.exec_driver_sql(f"CREATE TABLE pre.{stream.lower()} ({columns})")
        for statement, names in ((_CASES, _CASE_COLUMNS), (_EVENTS, _EVENT_COLUMNS)):
            query = statement.format(columns=", ".join(f'"{name}"' for name in names)).replace("%%", "%")
            connection.execute(sa.text(query), {"cases": cases, "events": events})
        connection.exec_driver_sql('CREATE UNIQUE INDEX ON pre.pre_apasinfo ("CREATE_TIME", "PROJID")')
        connection.exec_driver_sql('CREATE UNIQUE INDEX ON pre.pre_node ("CREATE_TIME", "UNID")')
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE pre.pre_apasinfo")
        connection.exec_driver_sql("VACUUM ANALYZE pre.pre_node")
    engine.dispose()
