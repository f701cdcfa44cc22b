-- 重复办结且结果不一致.
SELECT case_id, 'decision.outcome' AS field FROM case_facts WHERE closing_outcomes > 1
