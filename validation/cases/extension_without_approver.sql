-- 延期未载明批准人 (行政许可法 art. 42).
SELECT case_id, 'suspension.approver' AS field FROM case_facts WHERE extensions_without_approver > 0
