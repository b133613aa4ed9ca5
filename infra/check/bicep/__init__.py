"""Bicep, read and worked out on this machine: what would be deployed, with which names and values."""
