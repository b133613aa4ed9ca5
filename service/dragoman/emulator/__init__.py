"""Azure's own protocols on this machine: a test double for applications that are built on Azure AI Speech."""
