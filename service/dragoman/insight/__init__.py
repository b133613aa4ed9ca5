"""What follows from what was said: the LLM steps, free of any framework."""
