"""What can be done without a language model: select, and count."""
