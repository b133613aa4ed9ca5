import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it says of its own schemas when it is first imported
    import azure.ai.ml  # noqa: F401
