// The ten lines of the page, run: what arrives over OTLP has each agent's name. Only the model is another.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const MODEL = `
import { MockLanguageModelV4 } from "ai/test";
const usage = { inputTokens: { total: 10 }, outputTokens: { total: 2 } };
const call = { type: "tool-call", toolCallId: "1", toolName: "ask", input: '{"order": "1"}' };
const says = [call, "It left on Monday.", "Your order is on its way."];
const openai = () => new MockLanguageModelV4({
  doGenerate: async () => {
    const said = says.shift();
    const content = [said === call ? call : { type: "text", text: said }];
    return { content, finishReason: { unified: said === call ? "tool-calls" : "stop" }, usage, warnings: [] };
  },
});
`;

test("the page's lines send spans that say whose they are", async () => {
  const page = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, block] = /```js\n(.*?)```/s.exec(page);
  const program = fileURLToPath(new URL("./.page.mjs", import.meta.url));
  const received = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    received.push(JSON.parse(body));
    response.setHeader("content-type", "application/json").end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const written = block.replace(/^import \{ openai \}.*$/m, MODEL);
    assert.notEqual(written, block);
    writeFileSync(program, written);
    const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.address().port}` };
    const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
    const [code] = await once(child, "close");
    assert.equal(code, 0, said);
    assert.match(said, /Your order is on its way\./);
  } finally {
    server.close();
    rmSync(program, { force: true });
  }
  const spans = received.flatMap((each) =>
    each.resourceSpans.flatMap((of) => of.scopeSpans.flatMap((scope) => scope.spans)),
  );
  const rows = spans.map((span) => {
    const value = (key) => span.attributes.find((each) => each.key === key)?.value.stringValue;
    return [
      value("gen_ai.operation.name"),
      value("gen_ai.agent.name"),
      value("gen_ai.prompt.version") ?? "-",
      value("agentic.graph.version"),
    ].join(" ");
  });
  assert.deepEqual(rows.filter((row) => !row.startsWith("agent_step")).sort(), [
    "agent_handoff planner 12 7",
    "chat planner 12 7",
    "chat planner 12 7",
    "chat researcher - 7",
    "invoke_agent planner 12 7",
    "invoke_agent researcher - 7",
  ]);
});
