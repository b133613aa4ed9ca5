"""Engines on Azure AI Services. Vendor SDKs are imported here and nowhere else."""
