-- 准予许可但无证照或文号: where the mapping says that the closing should name a document.
SELECT case_id, 'decision.document_number' AS field FROM case_facts WHERE grants_without_document > 0
