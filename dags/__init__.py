"""When: thin Airflow DAGs made from the source folders."""
