-- 特别程序有结束无开始.
SELECT case_id, 'suspension.started_at' AS field FROM case_facts WHERE pauses_without_start > 0
