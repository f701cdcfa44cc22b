-- 不予受理或不予许可未说明理由 (行政许可法 art. 38).
SELECT case_id, 'acceptance.reason' AS field FROM case_facts WHERE refusals_without_reason > 0
