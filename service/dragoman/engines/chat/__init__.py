"""Chat models, and what stands in for one."""
