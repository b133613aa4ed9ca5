"""Checks of what is deployed to Azure, without Azure: ``python -m infra.check``."""
