"""From what people say of texts to what engines and prompts are measured on, and taught with."""
