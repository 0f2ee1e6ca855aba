"""Administration: models, people, jobs, storage, and the audit log."""
