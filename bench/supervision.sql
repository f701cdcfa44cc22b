-- A province's rows for `bench.supervision`, written by the server: 40 organs, 300 items with limits of stages, five
-- stage events a case, one case in ten open, one in twenty with a pause, one in a hundred returned. `{cases}` is their number.
INSERT INTO core.source_system (source_system_id, code, title, organ, kind)
    VALUES (1, 'bench', 'a province', 'ORGAN-00', 'database');
INSERT INTO ledger.stream (stream_id, source_system_id, name, last_success_at) VALUES (1, 1, 'cases', now());
INSERT INTO ledger.batch (batch_id, source_system_id, seq, stream_id, kind, mapping_version, read_at, recorded_at, read)
    VALUES (1, 1, 1, 1, 'pull', 'm', now(), now(), 0);
INSERT INTO catalog.item (item_id, code, organ)
    SELECT n, 'ITEM-' || n, 'ORGAN-' || lpad((n % 40)::text, 2, '0') FROM generate_series(0, 299) AS n;
INSERT INTO catalog.item_version (item_id, version, state, change, reason, content, effective_on, drafted_by, published_at)
    SELECT n, 1, 'published', 'new', 'a benchmark', jsonb_build_object(
            'name', '事项' || n, 'item_type', '01', 'kind', CASE WHEN n % 10 = 0 THEN 'immediate' ELSE 'promised' END,
            'promised_limit', jsonb_build_object('value', 5 + n % 20, 'unit', 'working_day'),
            'legal_limit', jsonb_build_object('value', CASE WHEN n % 7 = 0 THEN 2 ELSE 20 + n % 20 END,
                'unit', CASE WHEN n % 7 = 0 THEN 'month' ELSE 'working_day' END),
            'stages', (SELECT jsonb_agg(jsonb_build_object('stage', stage,
                'limit', jsonb_build_object('value', 1 + n % 4, 'unit', 'working_day')))
                FROM unnest(ARRAY['accept', 'undertake', 'review', 'approve', 'complete']) AS stage)),
        date '2000-01-01', 'bench', now()
    FROM generate_series(0, 299) AS n;
INSERT INTO core.approval_case (record_id, part, source_system_id, case_number, handling_organ, region, item_code,
        item_name, case_kind, channel, entry_mode, applied_at, applied_at_precision, batch_id, content_hash, reported_at)
    SELECT n, 0, 1, 'C' || n, 'ORGAN-' || lpad((n % 40)::text, 2, '0'), '330' || lpad((n % 90)::text, 3, '0'),
           'ITEM-' || n % 300, '事项' || n % 300, NULL, 'online', 'live', at, 's', 1, '\x00', at
    FROM (SELECT n, timestamptz '2025-01-01 01:00Z' + n % 600 * interval '1 day'
              + hashint4(n) % 14000 * interval '1 second' AS at FROM generate_series(1, {cases}) AS n) AS made;
INSERT INTO core.acceptance (record_id, part, case_id, outcome, accepted_at, accepted_at_precision, due_at,
        due_at_precision, batch_id, content_hash, reported_at)
    SELECT record_id, 0, record_id, 'accepted', applied_at + interval '1 hour', 's', applied_at + interval '20 days', 's',
           1, '\x00', applied_at
    FROM core.approval_case;
INSERT INTO core.stage_event (record_id, part, case_id, stage, started_at, started_at_precision, finished_at,
        finished_at_precision, outcome, batch_id, content_hash, reported_at)
    SELECT {cases} + c.record_id * 5 + place, 0, c.record_id,
           (ARRAY['accept', 'undertake', 'review', 'approve', 'complete'])[place],
           c.applied_at + place * interval '30 hours', 's',
           CASE WHEN c.record_id % 10 > 0 OR place < 4 THEN c.applied_at + place * interval '30 hours'
               + c.record_id % 7919 * interval '20 seconds' END, 's',
           CASE WHEN c.record_id % 100 = 7 AND place = 3 THEN 'returned' ELSE 'passed' END, 1, '\x00', c.applied_at
    FROM core.approval_case AS c CROSS JOIN generate_series(1, 5) AS place;
INSERT INTO core.suspension (record_id, part, case_id, suspension_kind, started_at, started_at_precision, ended_at,
        ended_at_precision, batch_id, content_hash)
    SELECT 7 * {cases} + record_id, 0, record_id, 'expert_review', applied_at + interval '2 days', 's',
           CASE WHEN record_id % 200 > 0 THEN applied_at + interval '9 days' END, 's', 1, '\x00'
    FROM core.approval_case WHERE record_id % 20 = 0;
INSERT INTO core.decision (record_id, part, source_system_id, case_number, decision_kind, outcome, decided_at,
        decided_at_precision, closing, batch_id, content_hash)
    SELECT record_id, 0, 1, case_number, 'decision', 'granted', applied_at + record_id % 21 * interval '31 hours', 's',
           TRUE, 1, '\x00'
    FROM core.approval_case WHERE record_id % 10 > 0;
INSERT INTO core.case_overview (case_id, state, events, applied_at, accepted_at, due_at, closed_at, closing_outcome,
        pauses_open)
    SELECT record_id, CASE WHEN record_id % 10 > 0 THEN 'closed' ELSE 'in_progress' END, 5, applied_at,
           applied_at + interval '1 hour', applied_at + interval '20 days',
           CASE WHEN record_id % 10 > 0 THEN applied_at + interval '2 hours' + record_id % 21 * interval '31 hours' END,
           CASE WHEN record_id % 10 > 0 THEN 'granted' END, 0
    FROM core.approval_case;
