"""From a verdict to an endpoint: evidence, plan, rollout, and the way back."""
