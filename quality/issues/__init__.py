"""Faults with a life: opened, worked on, escalated and closed; one issue a fault, however many records show it."""
