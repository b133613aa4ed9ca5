"""Bytes → frames → segments."""
