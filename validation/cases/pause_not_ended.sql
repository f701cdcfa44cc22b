-- 办结时特别程序未结束.
SELECT case_id, 'suspension.ended_at' AS field FROM case_facts WHERE pauses_open > 0 AND closed_at IS NOT NULL
