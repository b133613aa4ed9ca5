"""The graph of flow.dag.yaml in Microsoft Agent Framework: the same nodes, for the day after Prompt Flow."""

from agent_framework import Workflow, WorkflowBuilder, WorkflowContext, executor

from dragoman import nodes


@executor(id="shield")
async def _shield(given: dict, context: WorkflowContext[dict]) -> None:
    shielded = await nodes.insight_shield(__file__, given["conversation"], given["language"])
    await context.send_message(given | {"shielded": shielded})


@executor(id="prompt")
async def _prompt(given: dict, context: WorkflowContext[dict]) -> None:
    messages = nodes.insight_prompt(__file__, given["shielded"], given["language"], given.get("shots", 1))
    await context.send_message(given | {"messages": messages})


@executor(id="draft")
async def _draft(given: dict, context: WorkflowContext[dict]) -> None:
    drafted = await nodes.insight_draft(__file__, given["messages"], given["shielded"])
    await context.send_message(given | {"drafted": drafted})


@executor(id="conclude")
async def _conclude(given: dict, context: WorkflowContext[None, dict]) -> None:
    drafted, shielded = given["drafted"], given["shielded"]
    insight = await nodes.insight_conclude(__file__, drafted, shielded, given["conversation"], given["language"])
    await context.yield_output({"insight": insight})


def build() -> Workflow:
    """Return a workflow; one serves one run at a time."""
    return WorkflowBuilder(start_executor=_shield).add_chain([_shield, _prompt, _draft, _conclude]).build()
