// Names and values of the telemetry contract that this package writes or reads; a test compares them with Python's
// `agentobs.contract`, which defines them.

export const Attr = /** @type {const} */ ({
  OPERATION: "gen_ai.operation.name",
  REQUEST_MODEL: "gen_ai.request.model",
  RESPONSE_MODEL: "gen_ai.response.model",
  INPUT_TOKENS: "gen_ai.usage.input_tokens",
  OUTPUT_TOKENS: "gen_ai.usage.output_tokens",
  CACHE_READ_TOKENS: "gen_ai.usage.cache_read.input_tokens",
  CACHE_WRITE_TOKENS: "gen_ai.usage.cache_write.input_tokens",
  REASONING_TOKENS: "gen_ai.usage.reasoning.output_tokens",
  CONVERSATION_ID: "gen_ai.conversation.id",
  AGENT_NAME: "gen_ai.agent.name",
  WORKFLOW_NAME: "gen_ai.workflow.name",
  PROMPT_NAME: "gen_ai.prompt.name",
  PROMPT_VERSION: "gen_ai.prompt.version",
  TOOL_NAME: "gen_ai.tool.name",
  TOOL_ARGUMENTS: "gen_ai.tool.call.arguments",
  TOOL_RESULT: "gen_ai.tool.call.result",
  MCP_METHOD: "mcp.method.name",
  ERROR_TYPE: "error.type",
  SPAN_DUPLICATE: "agentic.span.duplicate",
  GRAPH_VERSION: "agentic.graph.version",
  RETRY_ATTEMPT: "agentic.retry.attempt",
  TRACK: "agentic.rollout.track",
});

export const Operation = /** @type {const} */ ({
  CHAT: "chat",
  TEXT_COMPLETION: "text_completion",
  GENERATE_CONTENT: "generate_content",
  INVOKE_AGENT: "invoke_agent",
  INVOKE_WORKFLOW: "invoke_workflow",
  EXECUTE_TOOL: "execute_tool",
});

/** Operations of a model call. */
export const INFERENCE = [Operation.CHAT, Operation.TEXT_COMPLETION, Operation.GENERATE_CONTENT];
/** Operation of a tool by which one agent lets another work: no tool call. */
export const AGENT_HANDOFF = "agent_handoff";
/** Operations of the inner one of two spans of one call: it counts nowhere. */
export const NESTED_CHAT = "nested_chat";
export const NESTED_TOOL = "nested_tool";

/** What travels as baggage. No personal data: baggage leaves the process. */
export const BAGGAGE_KEYS = [
  Attr.CONVERSATION_ID,
  Attr.AGENT_NAME,
  Attr.PROMPT_NAME,
  Attr.PROMPT_VERSION,
  Attr.GRAPH_VERSION,
  Attr.TRACK,
];
