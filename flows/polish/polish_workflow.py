"""The graph of flow.dag.yaml in Microsoft Agent Framework: the same nodes, for the day after Prompt Flow."""

from agent_framework import Workflow, WorkflowBuilder, WorkflowContext, executor

from dragoman import nodes


@executor(id="shield")
async def _shield(given: dict, context: WorkflowContext[dict]) -> None:
    await context.send_message(given | {"shielded": await nodes.polish_shield(__file__, given["conversation"])})


@executor(id="prompt")
async def _prompt(given: dict, context: WorkflowContext[dict]) -> None:
    about, shielded, glossary = given["conversation"], given["shielded"], given["glossary"]
    messages = nodes.polish_prompt(__file__, about, shielded, glossary, given.get("shots", 1))
    await context.send_message(given | {"messages": messages})


@executor(id="redraft")
async def _redraft(given: dict, context: WorkflowContext[dict]) -> None:
    redrafted = await nodes.polish_redraft(__file__, given["messages"], given["conversation"], given["shielded"])
    await context.send_message(given | {"redrafted": redrafted})


@executor(id="conclude")
async def _conclude(given: dict, context: WorkflowContext[None, dict]) -> None:
    about, shielded, glossary = given["conversation"], given["shielded"], given["glossary"]
    polished = await nodes.polish_conclude(__file__, given["redrafted"], about, shielded, glossary)
    await context.yield_output({"polished": polished})


def build() -> Workflow:
    """Return a workflow; one serves one run at a time."""
    return WorkflowBuilder(start_executor=_shield).add_chain([_shield, _prompt, _redraft, _conclude]).build()
