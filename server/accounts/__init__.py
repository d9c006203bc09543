"""Who may come in: web users and their sessions, and the credentials of tablets."""
