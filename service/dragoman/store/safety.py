"""What a step decided about safety, as the audit trail keeps it: numbers and kinds, and no word of what was said."""

from typing import Final

from dragoman.domain.events import DurableEvent, InsightReady

ACTION: Final = "safety.insight"


def decided(event: DurableEvent) -> dict[str, str | int | None] | None:
    """Return what was decided, if an event tells of a whole session's insight.

    ``withheld`` utterances read like orders to the model, ``dropped`` claims were borne out by nothing, and ``blocked``
    names the harms for which others were left out.
    """
    if not isinstance(event, InsightReady) or not event.is_final:
        return None
    insight = event.insight
    return {
        "withheld": len(insight.withheld),
        "dropped": insight.dropped,
        "blocked": ",".join(insight.blocked),
        "prompt": insight.prompt_version,
        "engine": insight.engine,
        "model": insight.model,
    }
