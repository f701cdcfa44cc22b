-- Cases with what has become of them: their overview, their decision, their stages.
WITH told AS (
    SELECT
        case_id,
        count(*) AS events,
        count(reported_at) AS reported,
        min(reported_at) AS first_report,
        max(reported_at) AS last_report,
        max(greatest(started_at, finished_at)) AS last_event,
        bool_or(started_at_precision = 'd') AS by_day
    FROM core.stage_event
    GROUP BY case_id
)
SELECT
    coalesce(t.handling_organ, ss.organ, '') AS organ,
    b.stream_id,
    t.case_kind,
    t.handling_organ IS NOT NULL AS has_handling_organ,
    t.reporting_organ IS NOT NULL AS has_reporting_organ,
    t.region IS NOT NULL AS has_region,
    t.item_code IS NOT NULL AS has_item_code,
    t.item_name IS NOT NULL AS has_item_name,
    t.case_kind IS NOT NULL AS has_kind,
    t.channel IS NOT NULL AS has_channel,
    t.applied_at IS NOT NULL AS has_applied,
    btrim(t.item_name) = ANY(:nothing) AS item_says_nothing,
    t.applied_at > :as_of AS in_future,
    CASE WHEN t.item_code IS NOT NULL AND EXISTS (SELECT FROM core.item_version) THEN
        t.item_code IN (SELECT implementation_code FROM core.item_version)
        OR t.item_code IN (SELECT base_code FROM core.item) END AS item_known,
    CASE WHEN t.handling_organ IS NOT NULL AND EXISTS (SELECT FROM core.organ) THEN
        t.handling_organ IN (SELECT code FROM core.organ UNION ALL SELECT credit_code FROM core.organ
                             WHERE credit_code IS NOT NULL) END AS organ_known,
    CASE WHEN t.region IS NOT NULL AND EXISTS (SELECT FROM core.region) THEN
        t.region IN (SELECT code FROM core.region) END AS region_known,
    t.case_kind = 'immediate' AS is_immediate,
    t.entry_mode = 'back_entered' AS is_back_entered,
    o.state = 'closed' AS is_closed,
    CASE WHEN o.state = 'closed' AND ss.source_system_id IN (SELECT source_system_id FROM core.decision) THEN
        EXISTS (SELECT FROM core.decision AS d
                WHERE d.source_system_id = t.source_system_id AND d.case_number = t.case_number) END AS has_decision,
    CASE WHEN o.state = 'closed' AND ss.source_system_id IN (SELECT c2.source_system_id FROM core.acceptance AS a
                                         JOIN core.approval_case AS c2 ON c2.record_id = a.case_id) THEN
        EXISTS (SELECT FROM core.acceptance AS a WHERE a.case_id = t.record_id) END AS has_acceptance,
    EXISTS (SELECT FROM core.case_party AS p WHERE p.case_id = t.record_id AND p.role = 'applicant') AS has_applicant,
    CASE WHEN t.source_system_id = ANY(:five_stages) AND t.case_kind = 'promised' AND o.state = 'closed'
              AND o.closing_outcome = 'granted' THEN
        num_nulls(o.accept_first, o.undertake_first, o.review_first, o.approve_first, o.complete_first) = 0
        END AS has_five_stages,
    CASE WHEN t.applied_at_precision = 's' AND o.accepted_at IS NOT NULL THEN
        o.accepted_at - t.applied_at IN (INTERVAL '1 second', INTERVAL '2 seconds') END AS is_shifted,
    CASE WHEN t.applied_at_precision <> 'd'
              AND o.accepted_at - t.applied_at NOT IN (INTERVAL '0', INTERVAL '1 second', INTERVAL '2 seconds')
        THEN date_part('epoch', o.accepted_at - t.applied_at)::bigint END AS seconds_to_acceptance,
    CASE WHEN o.state = 'closed' AND o.due_at IS NOT NULL AND t.case_kind IS DISTINCT FROM 'immediate' THEN
        (o.closed_at AT TIME ZONE :zone)::date = (o.due_at AT TIME ZONE :zone)::date END AS on_limit,
    CASE WHEN o.state = 'closed' AND o.due_at IS NOT NULL THEN
        (o.closed_at AT TIME ZONE :zone)::date > (o.due_at AT TIME ZONE :zone)::date END AS is_late,
    CASE WHEN o.state = 'closed' AND e.reported >= 3 AND e.reported = e.events THEN
        date_trunc('minute', e.first_report) = date_trunc('minute', e.last_report)
        AND e.first_report > e.last_event + INTERVAL '24 hours' END AS is_batch_entered,
    CASE WHEN o.state = 'closed' AND t.applied_at_precision <> 'd' AND NOT e.by_day THEN
        date_part('epoch', o.closed_at - t.applied_at)::bigint END AS seconds_to_closing,
    CASE WHEN o.closed_at IS NOT NULL AND t.applied_at IS NOT NULL
        THEN least(date_part('epoch', o.closed_at - t.applied_at) / 86400, 1100) END AS days_to_closing,
    o.closed_at > t.applied_at + INTERVAL '1100 days' AS took_years,
    o.closed_at < t.applied_at AND t.applied_at_precision <> 'd' AS closed_before_application,
    CASE WHEN t.applied_at_precision <> 'd' THEN floor(date_part('epoch', t.applied_at) / 60)::bigint END AS applied_minute,
    t.reported_at > t.applied_at + INTERVAL '30 days' AS told_late,
    (date_part('epoch', :as_of - t.applied_at) / 86400) AS age_days
FROM core.approval_case AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
LEFT JOIN core.case_overview AS o ON o.case_id = t.record_id
LEFT JOIN told AS e ON e.case_id = t.record_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
