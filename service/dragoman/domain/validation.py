"""What is wrong with something that was read, in a line."""

from pydantic import ValidationError


def first_problem(error: ValidationError) -> str:
    """Return the first problem and where it is, ``utterances.3.text: Field required``; nothing of what was read."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"]))
    told = first["msg"].removeprefix("Value error, ")
    return f"{where}: {told}" if where else told
