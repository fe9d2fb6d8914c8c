package corpus;

import io.opentelemetry.sdk.trace.SpanProcessor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executors;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.function.FunctionToolCallback;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Spring AI with its observations: the researcher is a tool of the coordinator; a thread per task. */
@SpringBootApplication
public class App {
  record Topic(String topic) {}

  record Request(String request) {}

  private static final List<String> ALL = List.of("lookup", "flaky", "broken", "slow");

  public static void main(String[] args) {
    SpringApplication.run(App.class, args).close();
  }

  @Bean
  SpanProcessor startEndLog() {
    return new StartEndLog();
  }

  private static ToolCallback tool(String name) {
    return FunctionToolCallback.builder(name, (Topic asked) -> Tools.call(name, asked.topic()))
        .description("Use " + name + ".")
        .inputType(Topic.class)
        .build();
  }

  private static String ask(ChatClient.Builder builder, String who, String request, List<ToolCallback> tools) {
    String instructions = "[agent:" + who + "] You are " + who + ". Use your tools, then answer in one sentence.";
    return builder.build().prompt().system(instructions).user(request).toolCallbacks(tools).call().content();
  }

  private static void run(ChatClient.Builder builder, String task, String team) {
    List<ToolCallback> tools = new ArrayList<>(List.of(tool("lookup")));
    String researcher = team + "_researcher";
    tools.add(
        FunctionToolCallback.builder(
                "ask_" + researcher,
                (Request asked) -> ask(builder, researcher, asked.request(), ALL.stream().map(App::tool).toList()))
            .description("Ask the researcher to find something out.")
            .inputType(Request.class)
            .build());
    ask(builder, team + "_coordinator", "[task:" + task + "] What became of the order of customer?", tools);
  }

  @Bean
  CommandLineRunner together(ChatClient.Builder builder) {
    return args -> {
      Map<String, String> outcomes = new ConcurrentSkipListMap<>();
      Map<String, String> teams = Map.of("t1", "north", "t2", "north", "t3", "south", "t4", "south", "t5", "north");
      try (var pool = new Threads(Executors.newFixedThreadPool(teams.size()))) {
        teams.forEach(
            (task, team) ->
                pool.run(
                    () -> {
                      try {
                        run(builder, task, team);
                        outcomes.put(task, "{\"outcome\": \"success\"}");
                      } catch (RuntimeException error) {
                        String name = error.getClass().getSimpleName();
                        outcomes.put(task, "{\"outcome\": \"failure\", \"exception\": \"" + name + "\"}");
                      }
                    }));
      }
      List<String> lines = outcomes.entrySet().stream().map(e -> "\"" + e.getKey() + "\": " + e.getValue()).toList();
      Files.writeString(Path.of(System.getenv("CORPUS_OUTCOMES")), "{" + String.join(", ", lines) + "}");
    };
  }
}
