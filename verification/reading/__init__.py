"""What is told beside checks: a project's progress, an inbox, own data, who checked me."""
