from hypothesis import settings

# No wall clock in tests: on a busy machine an example may take as long as it takes.
settings.register_profile("dragoman", deadline=None)
settings.load_profile("dragoman")
