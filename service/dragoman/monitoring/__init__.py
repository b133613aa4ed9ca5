"""How good the service is while it works: live figures, drift, objectives, budgets, and who is told."""
