"""Who may come in, and what each may do: roles, accounts, sessions. Knows nothing of the screen."""
