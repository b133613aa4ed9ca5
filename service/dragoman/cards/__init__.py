"""The transparency note and the model cards of a service, made from how it is really set."""
