"""The graph of flow.dag.yaml in Microsoft Agent Framework: the same nodes, for the day after Prompt Flow."""

from agent_framework import Workflow, WorkflowBuilder, WorkflowContext, executor

from dragoman import nodes


@executor(id="shield")
async def _shield(given: dict, context: WorkflowContext[dict]) -> None:
    shielded = await nodes.answer_shield(__file__, given["question"], given["conversation"], given["language"])
    await context.send_message(given | {"shielded": shielded})


@executor(id="prompt")
async def _prompt(given: dict, context: WorkflowContext[dict]) -> None:
    question, shielded, language = given["question"], given["shielded"], given["language"]
    messages = nodes.answer_prompt(__file__, question, shielded, language, given.get("shots", 1))
    await context.send_message(given | {"messages": messages})


@executor(id="reply")
async def _reply(given: dict, context: WorkflowContext[dict]) -> None:
    await context.send_message(given | {"replied": await nodes.answer_reply(__file__, given["messages"])})


@executor(id="conclude")
async def _conclude(given: dict, context: WorkflowContext[None, dict]) -> None:
    replied, shielded = given["replied"], given["shielded"]
    answer = await nodes.answer_conclude(__file__, replied, given["question"], shielded, given["language"])
    await context.yield_output({"answer": answer})


def build() -> Workflow:
    """Return a workflow; one serves one run at a time."""
    return WorkflowBuilder(start_executor=_shield).add_chain([_shield, _prompt, _reply, _conclude]).build()
