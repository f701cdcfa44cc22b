-- A province's rows for `bench.sets`, written by the server: 40 organs, five events a case. `{cases}` is their number.
INSERT INTO core.source_system (source_system_id, code, title, organ, kind)
    VALUES (1, 'bench', 'a province', 'ORGAN-00', 'database');
INSERT INTO ledger.stream (stream_id, source_system_id, name) VALUES (1, 1, 'cases'), (2, 1, 'events');
INSERT INTO ledger.batch (batch_id, source_system_id, seq, stream_id, kind, mapping_version, read_at, recorded_at, read)
    VALUES (1, 1, 1, 1, 'pull', 'm', now(), now(), 0), (2, 1, 2, 2, 'pull', 'm', now(), now(), 0);
INSERT INTO core.approval_case (record_id, part, source_system_id, case_number, handling_organ, region, item_code,
        item_name, case_kind, channel, entry_mode, applied_at, applied_at_precision, batch_id, content_hash, reported_at)
    SELECT n, 0, 1, 'C' || n, 'ORGAN-' || lpad((n % 40)::text, 2, '0'), '330000', 'ITEM-' || n % 300, '事项' || n % 300,
           CASE WHEN n % 2 = 0 THEN 'promised' ELSE 'immediate' END, 'online', 'live', day, 's', 1, '\x00',
           day + interval '9 minutes'
    FROM (SELECT n, timestamptz '2025-01-01 05:00Z' + n % 365 * interval '1 day'
              + hashint4(n) % 14000 * interval '1 second' AS day FROM generate_series(1, {cases}) AS n) AS made;
INSERT INTO core.stage_event (record_id, part, case_id, stage, local_node, handler_hash, handler_post, unit_name,
        started_at, started_at_precision, finished_at, finished_at_precision, outcome, opinion, batch_id, content_hash,
        reported_at)
    SELECT {cases} + c.record_id * 5 + place, 0, c.record_id,
           (ARRAY['accept', 'undertake', 'review', 'approve', 'complete'])[place],
           (ARRAY['受理', '承办', '审核', '批准', '办结'])[place], decode(md5((c.record_id % 700 + place)::text), 'hex'),
           '科员', '行政审批处', c.applied_at + place * interval '7 hours' + c.record_id % 3571 * interval '1 second', 's',
           c.applied_at + place * interval '7 hours' + c.record_id % 3571 * interval '1 second' + c.record_id % 7919 * interval '1 second',
           's', 'passed', (ARRAY['材料齐全，予以受理', '经审查情况属实', '同意承办意见', '准予许可', '办结归档'])[place], 2, '\x00',
           c.applied_at + place * interval '7 hours' + interval '4 hours'
    FROM core.approval_case AS c CROSS JOIN generate_series(1, 5) AS place;
INSERT INTO core.acceptance (record_id, part, case_id, outcome, accepted_at, accepted_at_precision, due_at,
        due_at_precision, document_number, handler_hash, batch_id, content_hash, reported_at)
    SELECT record_id, 0, record_id, 'accepted', applied_at + interval '30 minutes', 's', applied_at + interval '20 days',
           's', '受' || record_id, decode(md5((record_id % 700)::text), 'hex'), 1, '\x00', applied_at + interval '1 hour'
    FROM core.approval_case;
INSERT INTO core.decision (record_id, part, source_system_id, case_number, organ, document_number, document_name,
        decision_kind, outcome, decided_at, decided_at_precision, content, closing, expects_document, batch_id,
        content_hash, reported_at)
    SELECT record_id, 0, 1, case_number, handling_organ, '许' || record_id, '准予行政许可决定书', 'decision', 'granted',
           applied_at + interval '35 hours', 's', '准予' || item_name, TRUE, TRUE, 1, '\x00', applied_at + interval '36 hours'
    FROM core.approval_case;
INSERT INTO core.case_overview (case_id, state, events, applied_at, accepted_at, due_at, accept_first, undertake_first,
        review_first, approve_first, complete_first, closed_at, closing_outcome, pauses_open)
    SELECT record_id, 'closed', 5, applied_at, applied_at + interval '30 minutes', applied_at + interval '20 days',
           applied_at, applied_at, applied_at, applied_at, applied_at + interval '35 hours',
           applied_at + interval '35 hours', 'granted', 0
    FROM core.approval_case;
