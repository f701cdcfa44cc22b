"""Who may: programs with their rights, departments' database roles, topics of signed notices."""
