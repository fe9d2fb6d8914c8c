export { carry } from "./carry.js";
export { AgentContextProcessor } from "./processor.js";
