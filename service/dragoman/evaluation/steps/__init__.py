"""The LLM steps over cases: what each is given, what it says, and what is counted of it."""
