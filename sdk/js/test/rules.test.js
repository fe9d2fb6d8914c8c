// What a span gets from its ancestors: each rule by itself. Whole runs of frameworks: corpus.test.js.
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { carry } from "agentobs-sdk";
import { Attr } from "../src/names.js";
import { AGENT, OPERATION, Traced, calledFromAfar, carrying } from "./traced.js";

const PROMPT = Attr.PROMPT_VERSION;
const GRAPH = Attr.GRAPH_VERSION;
const AGENT_SPAN = { [OPERATION]: "invoke_agent" };

describe("which agent", () => {
  test("a model call gets the agent around it, and the inner one wins", () => {
    const traced = new Traced();
    traced.agent("planner", () => {
      traced.span("turn", {}, () => assert.equal(traced.model()[AGENT], "planner"));
      traced.agent("executor", () => traced.span("turn", {}, () => assert.equal(traced.model()[AGENT], "executor")));
      assert.equal(traced.model()[AGENT], "planner");
    });
  });

  test("an agent that calls itself without end costs each span the same, and every name is right", () => {
    const traced = new Traced();
    let asked = 0;
    const nested = (depth) =>
      traced.span("chat", { [OPERATION]: "chat" }, () => {
        if (depth === 300) traced.agent("executor", () => nested(depth - 1));
        else if (depth) nested(depth - 1);
      });
    traced.agent("planner", (agent) => {
      agent.setAttribute(GRAPH, "7");
      const read = { get: () => (asked++, "planner"), enumerable: true };
      Object.defineProperty(agent.attributes, AGENT, read);
      nested(600);
    });
    const calls = traced.spans.filter((span) => span.name === "chat").map((span) => span.attributes);
    assert.deepEqual(
      calls.map((each) => each[AGENT]),
      [...Array(300).fill("executor"), ...Array(301).fill("planner")],
    );
    assert.ok(calls.every((each) => each[GRAPH] === "7"));
    assert.ok(asked < 5 * 130, `the agent far above was asked ${asked} times`);
  });

  test("a name that comes after the start counts, and a placeholder does not", () => {
    const traced = new Traced();
    traced.span("x", { ...AGENT_SPAN, [AGENT]: "OpenAI Agent" }, (agent) => {
      traced.span("chat", { [OPERATION]: "chat", [AGENT]: "OpenAI Agent" }, () => agent.setAttribute(AGENT, "writer"));
      assert.equal(traced.of("chat")[AGENT], "writer");
      agent.setAttribute(AGENT, "OpenAI Agent");
      assert.equal(traced.model()[AGENT], "writer");
    });
  });

  test("the agent of a span that never says its name is not the one around it", () => {
    const traced = new Traced();
    traced.agent("outer", () => {
      traced.span("step", AGENT_SPAN, () => traced.model());
      assert.ok(traced.spans.every((span) => !(AGENT in span.attributes)));
    });
  });

  test("the name is read off a span that has no attribute for it, but not where that is the model's", () => {
    const traced = new Traced();
    traced.span("invoke_agent a", {}, () => assert.equal(traced.model()[AGENT], "a"));
    const model = { ...AGENT_SPAN, [Attr.REQUEST_MODEL]: "m" };
    traced.span("invoke_agent m", model, () => assert.equal(traced.model()[AGENT], undefined), { scope: "gen_ai" });
  });

  test("a call of the AI SDK without a name is part of the agent's work around it, and no agent", () => {
    const traced = new Traced();
    const unnamed = { ...AGENT_SPAN, [Attr.REQUEST_MODEL]: "m" };
    traced.agent("outer", () => {
      traced.span("execute_tool t", { [OPERATION]: "execute_tool" }, () => {
        traced.span("invoke_agent m", unnamed, () => assert.equal(traced.model()[AGENT], "outer"), { scope: "gen_ai" });
        traced.span("ai.generateText", { "ai.operationId": "ai.generateText" }, () =>
          assert.equal(traced.model()[AGENT], "outer"),
        );
      });
    });
    assert.equal(traced.of("invoke_agent m")[AGENT], undefined);
    assert.equal(traced.of("ai.generateText")[AGENT], undefined);
    assert.equal(traced.of("execute_tool t")[OPERATION], "execute_tool");
  });

  test("an embedding of the AI SDK is no agent, whatever its function is called", () => {
    const traced = new Traced();
    const named = { "ai.operationId": "ai.embed", "ai.telemetry.functionId": "index" };
    traced.agent("a", () => traced.span("ai.embed", named));
    assert.equal(traced.of("ai.embed")[AGENT], "a");
  });

  test("what a span says itself stays", () => {
    const traced = new Traced();
    traced.agent("a", () => assert.equal(traced.model({ [AGENT]: "b", [GRAPH]: "2" })[AGENT], "b"), { [GRAPH]: "1" });
    assert.equal(traced.of("chat")[GRAPH], "2");
  });

  test("the prompt is the nearest agent's and the graph is the run's", () => {
    const traced = new Traced();
    traced.span(
      "run",
      { [OPERATION]: "invoke_workflow", [GRAPH]: "7", [PROMPT]: "3", [Attr.WORKFLOW_NAME]: "w" },
      () => {
        traced.span("invoke_agent a", { ...AGENT_SPAN, [PROMPT]: "12" }, () => {
          assert.deepEqual([traced.model()[PROMPT], traced.of("chat")[GRAPH]], ["12", "7"]);
          traced.agent("b", () => assert.equal(traced.model()[PROMPT], undefined));
          assert.deepEqual([traced.of("chat")[GRAPH], traced.of("chat")[Attr.WORKFLOW_NAME]], ["7", "w"]);
        });
      },
    );
  });

  test("agents that work at the same time are not mixed up", async () => {
    const traced = new Traced();
    const work = (number) =>
      traced.agent(`agent-${number}`, async () => {
        for (let i = 0; i < 20; i++) {
          await sleep(Math.random());
          await traced.span("turn", {}, async () => {
            await sleep(0);
            traced.model({ n: number });
          });
        }
      });
    await Promise.all(Array.from({ length: 16 }, (_, number) => work(number)));
    const calls = traced.spans.filter((span) => span.name === "chat");
    assert.equal(calls.length, 320);
    assert.ok(calls.every(({ attributes }) => attributes[AGENT] === `agent-${attributes.n}`));
  });

  test("a parent that is given by its ids only is found while it is open", () => {
    const traced = new Traced();
    traced.agent("a", (agent) => {
      const ids = { ...agent.spanContext(), isRemote: true };
      const below = trace.setSpanContext(context.active(), ids);
      context.with(below, () => assert.equal(traced.model()[AGENT], "a"));
      agent.end();
      context.with(below, () => assert.equal(traced.model()[AGENT], undefined));
    });
  });

  test("a span that starts after its agent's has ended still has its name", () => {
    const traced = new Traced();
    let later;
    traced.agent("a", () => (later = context.active()));
    context.with(later, () => assert.equal(traced.model()[AGENT], "a"));
  });
});

describe("baggage", () => {
  test("a span's own words beat it, and who is named in it has none of the prompt around", () => {
    const traced = new Traced();
    carrying({ [AGENT]: "x", [GRAPH]: "9" }, () => {
      assert.equal(traced.model({ [GRAPH]: "2" })[GRAPH], "2");
      traced.agent("callee", () => assert.equal(traced.model()[AGENT], "callee"));
      assert.equal(traced.of("invoke_agent callee")[AGENT], "callee");
    });
    const work = () => carrying({ [AGENT]: "executor" }, () => traced.model());
    const found = traced.agent("planner", work, { [PROMPT]: "3" });
    assert.deepEqual([found[AGENT], found[PROMPT]], ["executor", undefined]);
  });

  test("set around a span it beats the parent, and a caller's comes last", () => {
    const traced = new Traced();
    traced.agent("planner", () => carrying({ [AGENT]: "executor", [PROMPT]: "5" }, () => traced.model()));
    assert.deepEqual([traced.of("chat")[AGENT], traced.of("chat")[PROMPT]], ["executor", "5"]);
    carrying({ [AGENT]: "caller", [GRAPH]: "9" }, () =>
      calledFromAfar(() =>
        traced.span("serve", {}, () => {
          assert.equal(traced.model()[AGENT], "caller");
          traced.agent("callee", () => assert.equal(traced.model()[AGENT], "callee"));
          assert.equal(traced.of("chat")[GRAPH], "9");
        }),
      ),
    );
  });

  test("an agent whose prompt is also the task's keeps it", () => {
    const traced = new Traced();
    carrying({ [PROMPT]: "12" }, () =>
      traced.span("task", {}, () => {
        carrying({ [AGENT]: "executor" }, () => traced.agent("executor", () => traced.model()));
        assert.deepEqual([traced.of("chat")[AGENT], traced.of("chat")[PROMPT]], ["executor", "12"]);
        traced.agent("critic", () => assert.equal(traced.model()[PROMPT], undefined));
      }),
    );
  });

  test("a prompt that is stated around a framework's outer span reaches the agent's own", () => {
    const traced = new Traced();
    carrying({ [AGENT]: "planner", [PROMPT]: "12", [GRAPH]: "7" }, () =>
      traced.span("planner.kickoff", {}, () => {
        traced.agent("planner", () => traced.model());
        assert.deepEqual([AGENT, PROMPT, GRAPH].map((key) => traced.of("chat")[key]), ["planner", "12", "7"]);
        traced.agent("critic", () => traced.model());
        assert.deepEqual([AGENT, PROMPT, GRAPH].map((key) => traced.of("chat")[key]), ["critic", undefined, "7"]);
      }),
    );
    assert.equal(traced.of("invoke_agent planner")[PROMPT], "12");
  });

  test("carry() says who works, also after an await; another agent has another prompt", async () => {
    const traced = new Traced();
    const planner = {
      agent: "planner",
      promptName: "plan",
      promptVersion: "3",
      graphVersion: "7",
      conversation: "c-1",
    };
    const result = await carry(planner, async () => {
      await sleep(1);
      traced.model();
      return carry({ agent: "executor" }, () => traced.model()[PROMPT]);
    });
    assert.equal(result, undefined);
    const [first, second] = traced.spans.map((span) => span.attributes);
    assert.deepEqual(
      [first[AGENT], first[Attr.PROMPT_NAME], first[PROMPT], first[GRAPH], first[Attr.CONVERSATION_ID]],
      ["planner", "plan", "3", "7", "c-1"],
    );
    assert.deepEqual([second[AGENT], second[GRAPH], second[Attr.PROMPT_NAME]], ["executor", "7", undefined]);
  });

  test("what is not of the contract stays where it is", () => {
    const traced = new Traced();
    carrying({ user: "u" }, () => assert.deepEqual(Object.keys(traced.model()), [OPERATION]));
  });
});

describe("retries", () => {
  test("one call in two spans of one framework is one try", () => {
    const traced = new Traced();
    const tool = { [OPERATION]: "execute_tool", [Attr.TOOL_NAME]: "x" };
    const fail = (span) => span.setStatus({ code: SpanStatusCode.ERROR });
    const twice = (span) => (traced.span("inner tool", tool, fail), fail(span));
    traced.agent("a", () => {
      for (let i = 0; i < 2; i++) traced.span("outer tool", tool, twice);
    });
    assert.deepEqual(traced.attempts, [undefined, undefined, undefined, 1]);
    assert.equal(traced.of("inner tool")[OPERATION], "execute_tool");
  });

  const attempts = (first, second) => {
    const traced = new Traced();
    traced.agent("executor", () => {
      traced.call("lookup", { fails: true, ...first });
      traced.call(second.tool ?? "lookup", second);
    });
    return traced.attempts;
  };

  test("a call after a failed one is a retry until one succeeds", () => {
    const traced = new Traced();
    traced.agent("executor", () => {
      for (const fails of [true, true, false, false]) traced.call("lookup", { fails });
    });
    assert.deepEqual(traced.attempts, [undefined, 1, 2, undefined]);
  });

  for (const [name, first, second] of [
    ["another tool", {}, { tool: "search" }],
    ["other arguments", { arguments: "1" }, { arguments: "2" }],
    ["long arguments that differ", { arguments: "x".repeat(99) + "1" }, { arguments: "x".repeat(99) + "2" }],
    ["numbered by the sender", {}, { [Attr.RETRY_ATTEMPT]: 0 }],
    ["a pause for a person goes on", { [Attr.ERROR_TYPE]: "GraphInterrupt" }, {}],
  ]) {
    test(`no retry: ${name}`, () => assert.ok(!attempts(first, second)[1]));
  }

  test("where content is hidden, the tool that just failed is tried again", () =>
    assert.deepEqual(attempts({ arguments: "" }, { arguments: "" }), [undefined, 1]));

  for (const text of ["Error executing tool x: no", '{"content": [], "isError": true}', '{"status": "error"}']) {
    test(`a result that says it failed: ${text}`, () =>
      assert.deepEqual(attempts({ fails: false, [Attr.TOOL_RESULT]: text }, {}), [undefined, 1]));
  }

  test("a model call after a failed one below the same span is a retry", () => {
    const traced = new Traced();
    const call = ({ fails = false, ...more } = {}) => {
      const attributes = { [OPERATION]: "chat", [Attr.REQUEST_MODEL]: "m", [Attr.INPUT_MESSAGES]: "hi", ...more };
      traced.span("chat", attributes, (span) => fails && span.setStatus({ code: SpanStatusCode.ERROR }));
      return traced.of("chat")[Attr.RETRY_ATTEMPT];
    };
    traced.agent("a", () => {
      assert.deepEqual(
        [call({ fails: true }), call({ fails: true }), call(), call()],
        [undefined, 1, 2, undefined],
      );
      assert.equal(call({ fails: true }), undefined);
      assert.equal(call({ [Attr.REQUEST_MODEL]: "other" }), undefined);
      assert.equal(call({ [Attr.INPUT_MESSAGES]: "ho" }), undefined);
      assert.equal(call({ [Attr.RETRY_ATTEMPT]: 0 }), 0);
      traced.span("step", {}, () => assert.equal(call(), undefined));
      assert.equal(call(), 1);
    });
    assert.deepEqual([call({ fails: true }), call()], [undefined, undefined]);
  });

  test("calls at the same time and those of another agent are no retries", () => {
    const traced = new Traced();
    const same = { [OPERATION]: "execute_tool", [Attr.TOOL_NAME]: "x" };
    traced.span("run", {}, () => {
      traced.agent("a", () => {
        const slow = traced.provider.getTracer("app").startSpan("execute_tool x", { attributes: same });
        traced.call("x", { fails: true, arguments: "" });
        slow.setStatus({ code: SpanStatusCode.ERROR }).end();
      });
      traced.agent("b", () => traced.call("x", { arguments: "" }));
    });
    assert.deepEqual(new Set(traced.attempts), new Set([undefined]));
  });

  test("spans told afterwards, one after the other, are judged by their times", () => {
    const traced = new Traced();
    const tracer = traced.provider.getTracer("app");
    const tell = (start, end, fails) => {
      const attributes = { [OPERATION]: "execute_tool", [Attr.TOOL_NAME]: "x" };
      const span = tracer.startSpan("execute_tool x", { attributes, startTime: start });
      if (fails) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(end);
    };
    const now = Date.now();
    traced.agent("a", () => {
      tell(now, now + 50, true);
      tell(now + 10, now + 60, false);
    });
    assert.deepEqual(traced.attempts, [undefined, undefined]);
  });
});

describe("what is inside", () => {
  test("a tool that holds an agent is a hand-over, not a call", () => {
    const traced = new Traced();
    traced.agent("a", () => {
      traced.span("t", { [OPERATION]: "execute_tool" }, () =>
        traced.span("step", {}, () => traced.agent("b", () => {})),
      );
    });
    assert.deepEqual([traced.of("t")[OPERATION], traced.of("t")[AGENT]], ["agent_handoff", "a"]);
    assert.equal(traced.of("invoke_agent a")[OPERATION], "invoke_agent");
    assert.equal(traced.of("step")[OPERATION], undefined);
  });

  test("a tool's span learns from the protocol's why its call failed", () => {
    for (const [message, expected] of [
      ["no", "tool_error"],
      ["Request timed out", "timeout"],
    ]) {
      const traced = new Traced();
      traced.span("t", { [OPERATION]: "execute_tool", [Attr.ERROR_TYPE]: "_OTHER" }, () =>
        traced.span("tools/call t", { [Attr.MCP_METHOD]: "tools/call" }, (span) =>
          span.setStatus({ code: SpanStatusCode.ERROR, message }),
        ),
      );
      assert.equal(traced.of("t")[Attr.ERROR_TYPE], expected);
    }
    const traced = new Traced();
    traced.span("t", { [OPERATION]: "execute_tool", [Attr.ERROR_TYPE]: "NotFound" }, () =>
      traced.span("tools/call t", { [Attr.MCP_METHOD]: "tools/call", [Attr.ERROR_TYPE]: "tool_error" }),
    );
    assert.equal(traced.of("t")[Attr.ERROR_TYPE], "NotFound");
  });

  test("a request of the MCP protocol is the tool call only where no tool span is around it", () => {
    const traced = new Traced();
    const client = { kind: SpanKind.CLIENT };
    const request = { [Attr.MCP_METHOD]: "tools/call" };
    traced.agent("a", () => {
      traced.span("tools/call lookup", request, undefined, client);
      const alone = traced.spans.at(-1);
      assert.deepEqual([alone.kind, alone.attributes[OPERATION]], [SpanKind.INTERNAL, "execute_tool"]);
      assert.deepEqual([alone.attributes[Attr.TOOL_NAME], alone.attributes[AGENT]], ["lookup", "a"]);
      traced.span("t", { [OPERATION]: "execute_tool" }, () =>
        traced.span("tools/call lookup", request, undefined, client),
      );
      const inside = traced.spans.at(-2);
      assert.deepEqual([inside.kind, inside.attributes[OPERATION]], [SpanKind.CLIENT, undefined]);
      traced.span("tools/list", { [Attr.MCP_METHOD]: "tools/list" }, undefined, client);
      assert.equal(traced.of("tools/list")[OPERATION], undefined);
      traced.span("tools/call served", request, undefined, { kind: SpanKind.SERVER });
      assert.equal(traced.of("tools/call served")[OPERATION], undefined);
    });
  });

  test("a request waits for a span around it that says only at its end that it is the tool", () => {
    const traced = new Traced();
    const request = { [Attr.MCP_METHOD]: "tools/call" };
    traced.span("step", {}, (step) => {
      traced.span("tools/call lookup", request, undefined, { kind: SpanKind.CLIENT });
      assert.equal(traced.spans.length, 0);
      step.setAttribute(OPERATION, "execute_tool");
    });
    assert.equal(traced.of("tools/call lookup")[OPERATION], undefined);
    traced.span("step", { told: true }, () => {
      traced.span("tools/call lookup", request, undefined, { kind: SpanKind.CLIENT });
      assert.equal(traced.of("tools/call lookup")[OPERATION], "execute_tool");
    });
  });

  test("the inner one of two instrumentations is marked and lends its tokens", () => {
    const traced = new Traced();
    const tokens = { [Attr.INPUT_TOKENS]: 10, [Attr.OUTPUT_TOKENS]: 4 };
    const nested = (outer) => {
      traced.span("outer", { [OPERATION]: "chat", ...outer }, () => traced.model(tokens, { scope: "client" }), {
        scope: "fw",
      });
      return traced.of("outer");
    };
    const lent = nested({});
    assert.deepEqual([traced.of("chat")[OPERATION], traced.of("chat")[Attr.SPAN_DUPLICATE]], ["nested_chat", true]);
    assert.deepEqual([lent[Attr.INPUT_TOKENS], lent[Attr.OUTPUT_TOKENS]], [10, 4]);
    const own = nested({ [Attr.INPUT_TOKENS]: 3 });
    assert.deepEqual([own[Attr.INPUT_TOKENS], own[Attr.OUTPUT_TOKENS]], [3, undefined]);
    const model = { [Attr.REQUEST_MODEL]: "mine" };
    traced.span(
      "outer",
      { [OPERATION]: "chat", ...model },
      () => traced.model({ ...tokens, [Attr.REQUEST_MODEL]: "theirs" }, { scope: "client" }),
      { scope: "fw" },
    );
    assert.deepEqual([traced.of("outer")[Attr.REQUEST_MODEL], traced.of("outer")[Attr.INPUT_TOKENS]], ["mine", 10]);
  });

  test("two model spans of one scope, or with a tool between, are two calls", () => {
    const traced = new Traced();
    traced.span("outer", { [OPERATION]: "chat" }, () => assert.equal(traced.model()[OPERATION], "chat"));
    traced.span("outer", { [OPERATION]: "chat" }, () =>
      traced.span("t", { [OPERATION]: "execute_tool" }, () =>
        assert.equal(traced.model({}, { scope: "other" })[OPERATION], "chat"),
      ),
    );
  });

  test("the inner one of two spans of one tool call is marked; a tool inside another tool is not", () => {
    const traced = new Traced();
    const tool = (name) => ({ [OPERATION]: "execute_tool", [Attr.TOOL_NAME]: name });
    const inner = () => traced.span("inner", tool("lookup"), undefined, { scope: "client" });
    traced.span("outer", tool("lookup"), inner, { scope: "fw" });
    assert.deepEqual([traced.of("inner")[OPERATION], traced.of("outer")[OPERATION]], ["nested_tool", "execute_tool"]);
    traced.span("outer", tool("batch"), inner, { scope: "fw" });
    assert.equal(traced.of("inner")[OPERATION], "execute_tool");
    traced.span("outer", tool("lookup"), () => traced.agent("b", inner), { scope: "fw" });
    assert.equal(traced.of("inner")[OPERATION], "execute_tool");
  });

  test("a framework's span of the agent that the program's stands for is marked; an agent that calls itself is not", () => {
    const traced = new Traced();
    const named = { [OPERATION]: "invoke_agent", [Attr.AGENT_NAME]: "a" };
    const run = (scope) => () => traced.span("inner", named, undefined, { scope });
    traced.agent("a", run("fw"));
    assert.deepEqual([traced.of("inner")[OPERATION], traced.of("invoke_agent a")[OPERATION]], ["nested_agent", "invoke_agent"]);
    traced.agent("b", run("fw"));
    assert.equal(traced.of("inner")[OPERATION], "invoke_agent");
    traced.agent("a", () => traced.span("t", { [OPERATION]: "execute_tool" }, run("fw")));
    assert.equal(traced.of("inner")[OPERATION], "invoke_agent");
  });
});

describe("spans that wait", () => {
  // As Mastra's bridge does it: nothing until the end but a name with the agent's id.
  const run = (traced, id, name, work) =>
    traced.span(
      `agent run: '${id}'`,
      {},
      (agent) => {
        const done = () => agent.setAttributes({ ...AGENT_SPAN, [AGENT]: name });
        const result = work();
        return result instanceof Promise ? result.then(done) : void done();
      },
      { scope: "@mastra/otel-bridge" },
    );

  test("a model call waits for an agent that says its name at the end, and for the first run of it only", () => {
    const traced = new Traced();
    run(traced, "id-1", "Planner", () => {
      traced.model();
      assert.equal(traced.spans.length, 0);
    });
    assert.equal(traced.of("chat")[AGENT], "Planner");
    run(traced, "id-1", "Planner", () => assert.equal(traced.model()[AGENT], "Planner"));
  });

  test("a flush lets go what waits, with the name so far", async () => {
    const traced = new Traced();
    await run(traced, "id-2", "Writer", async () => {
      traced.model();
      await traced.provider.forceFlush();
      assert.equal(traced.of("chat")[AGENT], "id-2");
    });
    await traced.provider.shutdown();
  });

  test("no more than 2,048 wait; others go with the name so far", () => {
    const traced = new Traced();
    run(traced, "id-4", "Reader", () => {
      for (let i = 0; i < 2050; i++) traced.model();
      assert.deepEqual(
        traced.spans.map((span) => span.attributes[AGENT]),
        ["id-4", "id-4"],
      );
    });
    assert.equal(traced.spans.filter((span) => span.attributes[AGENT] === "Reader").length, 2049);
  });

  test("so does a time limit", async () => {
    const traced = new Traced({ options: { longestWaitMs: 5 } });
    await run(traced, "id-3", "Critic", async () => {
      traced.model();
      while (!traced.spans.length) await sleep(2);
    });
    assert.equal(traced.of("chat")[AGENT], "id-3");
  });
});

describe("an error costs nothing but an attribute", () => {
  const warnings = (work) => {
    const warn = mock.method(console, "warn", () => {});
    try {
      work();
      return warn.mock.calls.map((call) => call.arguments[0]);
    } finally {
      warn.mock.restore();
    }
  };

  test("counts of what was dropped stay, and all else that a span says", () => {
    const traced = new Traced({ config: { spanLimits: { attributeCountLimit: 3, eventCountLimit: 1 } } });
    traced.agent("a", () =>
      traced.span("s", { a: 1, b: 2, c: 3, d: 4 }, (span) => span.addEvent("one").addEvent("two")),
    );
    const [ended] = traced.spans;
    assert.deepEqual([ended.droppedAttributesCount, ended.droppedEventsCount, ended.events.length], [1, 1, 1]);
    assert.deepEqual([ended.attributes[AGENT], ended.ended, ended.name], ["a", true, "s"]);
    assert.ok(ended.duration[1] > 0 || ended.duration[0] > 0);
    assert.equal(ended.resource, traced.spans[1].resource);
  });

  test("the span of the program is left as it was", () => {
    const traced = new Traced();
    let own;
    traced.agent("a", () => traced.span("chat", { [OPERATION]: "chat" }, (span) => (own = span)));
    assert.deepEqual(Object.keys(own.attributes), [OPERATION]);
  });

  test("a span that cannot be read passes, and that is told once", () => {
    const traced = new Traced();
    const told = warnings(() =>
      traced.agent("a", (agent) => {
        Object.defineProperty(agent, "attributes", { get: () => assert.fail("broken") });
        traced.model();
        traced.model();
      }),
    );
    assert.equal(traced.spans.length, 3);
    assert.equal(told.length, 1);
    assert.match(told[0], /a span passes without its agent's name: .*broken/);
  });

  test("spans of an SDK with private fields pass unchanged, and that is told once", () => {
    class Private {
      #end = [1, 2];
      constructor(real) {
        Object.assign(this, { ...real, spanContext: () => real.spanContext() });
      }
      get duration() {
        return this.#end;
      }
    }
    const passed = [];
    const traced = new Traced({ inner: () => ({ onStart() {}, onEnd: (span) => passed.push(span) }) });
    const told = warnings(() =>
      traced.agent("a", (agent) => {
        const inside = trace.setSpan(context.active(), agent);
        const real = traced.provider.getTracer("x").startSpan("chat", { attributes: { [OPERATION]: "chat" } });
        for (const span of [new Private(real), new Private(real)]) {
          traced.processor.onStart(span, inside);
          traced.processor.onEnd(span);
          assert.equal(passed.at(-1), span);
        }
      }),
    );
    assert.equal(told.length, 1);
  });

  test("what the wrapped processor does itself is asked of it", async () => {
    const asked = [];
    const say = (name) => () => (asked.push(name), Promise.resolve());
    const inner = {
      onStart: say("start"),
      onEnding: say("ending"),
      onEnd: say("end"),
      forceFlush: say("flush"),
      shutdown: say("shutdown"),
    };
    const traced = new Traced({ inner: () => inner });
    traced.agent("a", () => {});
    await traced.provider.forceFlush();
    await traced.provider.shutdown();
    assert.deepEqual(asked, ["start", "ending", "end", "flush", "shutdown"]);
    assert.equal(new Traced().processor.onEnding, undefined);
  });

  test(
    "nothing is left of what has ended or was forgotten",
    { skip: !globalThis.gc && "needs --expose-gc" },
    async () => {
      const traced = new Traced();
      const gone = [];
      traced.agent("a", (agent) => {
        gone.push(new WeakRef(agent));
        gone.push(new WeakRef(traced.provider.getTracer("x").startSpan("never ends")));
        traced.model();
      });
      traced.exported.reset();
      await sleep(5);
      globalThis.gc();
      assert.deepEqual(
        gone.map((ref) => ref.deref()),
        [undefined, undefined],
      );
    },
  );
});
