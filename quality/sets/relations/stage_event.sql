-- Stages, each with the facts that the suite asks about. The organ is that of its case, else of its source.
SELECT
    coalesce(c.handling_organ, ss.organ, '') AS organ,
    b.stream_id,
    t.stage,
    t.outcome,
    t.started_at IS NOT NULL AS has_started,
    t.finished_at IS NOT NULL AS has_finished,
    t.local_node IS NOT NULL AS has_node,
    t.local_code IS NOT NULL AS has_code,
    t.handler_hash IS NOT NULL AS has_handler,
    t.handler_post IS NOT NULL AS has_post,
    t.unit_name IS NOT NULL AS has_unit,
    t.outcome IS NOT NULL AS has_outcome,
    t.opinion IS NOT NULL AS has_opinion,
    t.reported_at IS NOT NULL AS has_report,
    t.stage = 'other' AS is_other,
    t.outcome = 'returned' AS is_returned,
    t.started_at > :as_of OR t.finished_at > :as_of AS in_future,
    t.started_at < '1990-01-01' AS long_ago,
    btrim(t.opinion) = ANY(:nothing) AS opinion_says_nothing,
    btrim(t.local_node) = ANY(:nothing) AS node_says_nothing,
    btrim(t.handler_post) = ANY(:nothing) AS post_says_nothing,
    btrim(t.unit_name) = ANY(:nothing) AS unit_says_nothing,
    length(t.opinion) AS opinion_length,
    length(t.local_node) AS node_length,
    length(t.handler_post) AS post_length,
    length(t.unit_name) AS unit_length,
    CASE WHEN t.finished_at IS NOT NULL AND t.started_at IS NOT NULL
        THEN least(date_part('epoch', t.finished_at - t.started_at) / 3600, 24 * 366) END AS hours,
    t.finished_at > t.started_at + INTERVAL '366 days' AS took_a_year,
    CASE WHEN t.started_at_precision <> 'd' THEN nullif(date_part('epoch', t.finished_at - t.started_at)::bigint, 0) END
        AS seconds_taken,
    t.finished_at < t.started_at AS ends_early,
    date_part('isodow', t.started_at AT TIME ZONE :zone) > 5 AS on_weekend,
    CASE WHEN t.started_at_precision <> 'd'
        THEN date_part('hour', t.started_at AT TIME ZONE :zone) NOT BETWEEN 6 AND 21 END AS at_night,
    CASE WHEN t.started_at_precision <> 'd' THEN floor(date_part('epoch', t.started_at) / 60)::bigint END AS start_minute,
    CASE WHEN t.finished_at_precision <> 'd' THEN floor(date_part('epoch', t.finished_at) / 60)::bigint END AS finish_minute,
    t.reported_at < t.started_at AS told_ahead,
    t.reported_at > coalesce(t.finished_at, t.started_at) + INTERVAL '7 days' AS told_late,
    t.handler_hash AS handler,
    CASE WHEN length(t.opinion) > 4 THEN hashtextextended(t.opinion, 0) END AS opinion,
    hash_record_extended(
        ROW(t.case_id, t.stage, t.local_node, t.local_code, t.started_at, t.finished_at, t.opinion,
                  t.handler_hash), 0) AS same_step,
    c.applied_at > t.started_at AND c.applied_at_precision = t.started_at_precision AS before_application,
    (date_part('epoch', :as_of - coalesce(t.finished_at, t.started_at)) / 86400) AS age_days
FROM core.stage_event AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
JOIN core.approval_case AS c ON c.record_id = t.case_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
