"""Departments that read by SQL: a role each, and what each may see decided by the server, row by row.

Revision ID: 0024
"""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_TABLES = """
CREATE SCHEMA IF NOT EXISTS out;
CREATE TABLE access.reader (
    role TEXT NOT NULL,
    organ TEXT NOT NULL,
    purpose TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_by TEXT,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_reader PRIMARY KEY (role)
);
COMMENT ON TABLE access.reader IS
    '数据库读者: the role by which an organ reads the views in out, for one purpose; rows end, none changes.';
"""

# They run as the owner of the tables and so take nothing from who calls them: who it is, the server knows
# (session_user is the role that logged in, whatever SET ROLE says since).
_DEFINER = "STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
_FUNCTIONS = """
CREATE FUNCTION out.organ() RETURNS TEXT LANGUAGE sql DEFINER AS $$
    SELECT organ FROM access.reader WHERE role = session_user AND ended_at IS NULL
$$;
COMMENT ON FUNCTION out.organ() IS 'The organ whose role is logged in; nothing where it is no reader.';

CREATE FUNCTION out.readable(asked TEXT) RETURNS SETOF TEXT LANGUAGE sql DEFINER ROWS 100 AS $$
    WITH shown AS (
        SELECT s.code FROM access.reader AS r JOIN access.sharing AS s ON s.kind = asked AND s.ended_at IS NULL
        CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date AS day) AS t
        WHERE r.role = session_user AND r.ended_at IS NULL AND (s.class = 'unconditional' OR (
            s.class = 'conditional' AND EXISTS (
                SELECT FROM access."grant" AS g
                WHERE g.organ = r.organ AND g.purpose = r.purpose AND g.kind = s.kind AND g.code = s.code
                    AND g.state = 'granted' AND g.valid_from <= t.day AND (g.valid_to IS NULL OR t.day <= g.valid_to))))
    )
    SELECT code FROM shown
    UNION
    SELECT n.number FROM shown AS s
    JOIN catalog.item AS i ON s.code IN (i.code, i.base_code)
        OR EXISTS (SELECT FROM catalog.item_number AS m WHERE m.item_id = i.item_id AND m.number = s.code)
    CROSS JOIN LATERAL (
        SELECT i.code AS number UNION SELECT i.base_code WHERE i.base_code IS NOT NULL
        UNION SELECT m.number FROM catalog.item_number AS m WHERE m.item_id = i.item_id
    ) AS n
    WHERE asked = 'item' AND NOT EXISTS (
        SELECT FROM access.sharing AS x
        WHERE x.kind = 'item' AND x.code = n.number AND x.class = 'none' AND x.ended_at IS NULL)
$$;
COMMENT ON FUNCTION out.readable(TEXT) IS
    'The credential types (credential_type) or items (item, by each of their numbers) that the reader may see today.';

CREATE FUNCTION out.numbers(asked TEXT) RETURNS SETOF TEXT LANGUAGE sql DEFINER ROWS 5 AS $$
    SELECT asked WHERE asked IN (SELECT out.readable('item'))
    UNION
    SELECT n.number FROM catalog.item AS i
    CROSS JOIN LATERAL (
        SELECT i.code AS number UNION SELECT i.base_code WHERE i.base_code IS NOT NULL
        UNION SELECT m.number FROM catalog.item_number AS m WHERE m.item_id = i.item_id
    ) AS n
    WHERE asked IN (SELECT out.readable('item')) AND (asked IN (i.code, i.base_code)
        OR EXISTS (SELECT FROM catalog.item_number AS m WHERE m.item_id = i.item_id AND m.number = asked))
$$;
COMMENT ON FUNCTION out.numbers(TEXT) IS 'Each number by which a case may name an item that the reader may see.';

CREATE FUNCTION out.own_items() RETURNS SETOF BIGINT LANGUAGE sql DEFINER AS $$
    SELECT item_id FROM catalog.item WHERE organ = out.organ()
$$;
COMMENT ON FUNCTION out.own_items() IS 'The items that the reader''s own organ carries out.';

CREATE FUNCTION out.feeds() RETURNS TABLE (
    kind TEXT, code TEXT, issuer TEXT, complete_through TIMESTAMP WITH TIME ZONE
) LANGUAGE sql DEFINER ROWS 100 AS $$
    SELECT f.kind, f.code, f.issuer,
        CASE WHEN count(*) = count(s.complete_through) THEN min(s.complete_through) END
    FROM access.feed AS f JOIN ledger.stream AS s ON s.stream_id = f.stream_id
    WHERE f.issuer = out.organ() OR f.code IN (SELECT out.readable(f.kind))
    GROUP BY 1, 2, 3
$$;
COMMENT ON FUNCTION out.feeds() IS
    'Up to when the feeds of what the reader may see are complete; empty where one of them does not say.';

CREATE FUNCTION out.held() RETURNS TABLE (case_id BIGINT, holder TEXT, kind TEXT, record_id BIGINT)
LANGUAGE sql DEFINER AS $$
    WITH own AS (
        SELECT a.record_id FROM core.approval_case AS a JOIN core.case_overview AS o ON o.case_id = a.record_id
        WHERE a.handling_organ = out.organ() AND o.state NOT IN ('closed', 'not_accepted')
    ), same AS (
        SELECT DISTINCT p.case_id AS own_id, 'applicant' AS holder, q.case_id
        FROM own JOIN core.case_party AS p ON p.case_id = own.record_id AND p.role = 'applicant'
        JOIN core.case_party AS q ON q.number_hash = p.number_hash AND q.role = 'applicant'
        UNION
        SELECT i.case_id, 'project', j.case_id
        FROM own JOIN core.case_identifier AS i ON i.case_id = own.record_id AND i.scheme = 'project'
        JOIN core.case_identifier AS j ON j.number = i.number AND j.scheme = 'project'
    ), others AS (
        SELECT s.own_id, s.holder, a.* FROM same AS s JOIN core.approval_case AS a ON a.record_id = s.case_id
        WHERE a.item_code IN (SELECT out.readable('item')) AND a.record_id <> s.own_id
    )
    SELECT p.case_id, 'applicant', 'credential', c.record_id
    FROM own JOIN core.case_party AS p ON p.case_id = own.record_id AND p.role = 'applicant'
    JOIN core.credential AS c ON c.holder_number_hash = p.number_hash
    WHERE c.credential_type IN (SELECT out.readable('credential_type'))
    UNION
    SELECT s.own_id, 'project', 'credential', c.record_id
    FROM same AS s JOIN core.approval_case AS a ON a.record_id = s.case_id
    JOIN core.credential AS c ON c.source_system_id = a.source_system_id AND c.case_number = a.case_number
    WHERE s.holder = 'project' AND c.credential_type IN (SELECT out.readable('credential_type'))
    UNION
    SELECT o.own_id, o.holder, 'decision', d.record_id
    FROM others AS o JOIN core.decision AS d ON d.source_system_id = o.source_system_id
        AND d.case_number = o.case_number AND d.decision_kind = 'decision'
    UNION
    SELECT o.own_id, o.holder, 'case', o.record_id
    FROM others AS o JOIN core.case_overview AS v ON v.case_id = o.record_id
    WHERE v.state NOT IN ('closed', 'not_accepted')
$$;
COMMENT ON FUNCTION out.held() IS
    'For the open cases of the reader''s organ: the records of their applicants and projects that it may see.';
"""

_VISIBLE_CASE = """EXISTS (SELECT FROM core.approval_case AS a WHERE {})"""
SECURED = {
    "core.approval_case": """handling_organ = (SELECT out.organ()) OR reporting_organ = (SELECT out.organ())
        OR item_code IN (SELECT out.readable('item'))""",
    "core.case_overview": _VISIBLE_CASE.format("a.record_id = case_overview.case_id"),
    "core.case_identifier": "scheme = 'project' AND "
    + _VISIBLE_CASE.format("a.record_id = case_identifier.case_id"),
    "core.decision": "organ = (SELECT out.organ()) OR "
    + _VISIBLE_CASE.format(
        "a.source_system_id = decision.source_system_id AND a.case_number = decision.case_number"
    ),
    "core.credential": """issuer = (SELECT out.organ())
        OR credential_type IN (SELECT out.readable('credential_type'))""",
    "core.credential_status": (
        "EXISTS (SELECT FROM core.credential AS c WHERE c.record_id = credential_status.record_id)"
    ),
    "catalog.item_version": """state = 'published'
        AND (content ->> 'disclosure' = 'public' OR item_id IN (SELECT out.own_items()))""",
    "catalog.item": "EXISTS (SELECT FROM catalog.item_version AS v WHERE v.item_id = item.item_id)",
    "catalog.item_number": "EXISTS (SELECT FROM catalog.item AS i WHERE i.item_id = item_number.item_id)",
}  # fmt: skip


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_FUNCTIONS.replace("DEFINER", _DEFINER))
    for table, seen in SECURED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        # The hub itself, whose role owns the tables and has no BYPASSRLS, works by a policy like everybody else.
        op.execute(f"CREATE POLICY hub ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY reader ON {table} FOR SELECT USING ({seen})")


def downgrade() -> None:
    for table in SECURED:
        op.execute(f"DROP POLICY reader ON {table}")
        op.execute(f"DROP POLICY hub ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY")
    op.execute("DROP SCHEMA out CASCADE")
    op.execute("DROP TABLE access.reader")
