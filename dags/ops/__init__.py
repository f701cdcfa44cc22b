"""Runs Airflow on this machine: its home, its processes, its pools and its runs. No DAG lives here."""
