#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <tuple>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"
#include "reports/layout.h"
#include "stats/metrics.h"

namespace assay {
namespace {

void print_line(std::string head, std::string_view text) {
  for (const auto& line : wrap(text, kConsoleWidth - head.size(), 0)) {
    fmt::print("{}{}\n", head, line);
    head.assign(head.size(), ' ');
  }
}

void print_metric(const Metric& metric) {
  std::string text(metric.definition);
  if (metric.label != metric.name) text += fmt::format(" [{}]", metric.label);
  print_line(fmt::format("{:<17} {:<6} ", metric.name, metric.unit), text);
}

/// What tables show of a leg or a cell beside the metrics of calls.
constexpr std::array kShown{
    std::tuple{"pp", "tok/s", "prompt processing: slope of fresh TTFT over three prompt lengths"},
    std::tuple{"tg", "tok/s", "text generation: decode_tps after the shortest prompt"},
    std::tuple{"@4k", "tok/s", "decode_tps after a context of 4,096 tokens"},
    std::tuple{"TTFT fresh", "ms", "ttft_ms of prompts of which the engine had nothing cached"},
    std::tuple{"TTFT reused", "ms", "ttft_ms of prompts that the engine had cached"},
    std::tuple{"load", "ms", "the engine's own time to load the model"},
    std::tuple{"memory", "bytes", "of the loaded model as the engine states it, or its process"},
    std::tuple{"aggregate_tps", "tok/s",
               "tokens of a leg's ok calls, from its first due call to the end of its last "
               "[Throughput]"},
    std::tuple{"requests_per_sec", "1/s", "ok calls over the same time"},
    std::tuple{
        "j_per_token", "J",
        "energy while a leg's calls were in flight, gross, over all its output tokens; of the "
        "processor's packages or of the cards, never of both [J/token]"},
    std::tuple{"j_per_token_net", "J", "the same, less the power at rest (--idle 10s)"},
    std::tuple{"j_per_call", "J", "the same energy over the calls that were sent [J/call]"}};

int help_metrics() {
  fmt::print("Of a call; in brackets what tables call it\n");
  for (const Metric& metric : metrics()) print_metric(metric);
  fmt::print("\nOf a leg or a cell\n");
  for (const auto& [name, unit, text] : kShown) {
    print_line(fmt::format("{:<17} {:<6} ", name, unit), text);
  }
  return exit_code::kDone;
}

bool names_command(const std::vector<std::string>& words) {
  const std::string topic = join(words, " ");
  return topic.empty() || topic == "help" ||
         std::any_of(commands().begin(), commands().end(), [&](const Command& command) {
           return command.path == topic || command.path.starts_with(topic + " ");
         });
}

int help_exit_codes() {
  fmt::print(
      "  0  done\n"
      "  1  failed\n"
      "  2  usage: an option, a value or a name is wrong, or no engine takes the option\n"
      "  3  a threshold was missed, or something became slower\n"
      "  4  refused: another run measures, or a check before the run failed\n"
      "  5  no target can be reached\n"
      "  6  more failed calls than --max-failed (default: when every call failed)\n"
      "  7  stopped by --max-temp or --max-power; results so far are kept, 'assay resume' goes on\n"
      "130  interrupted by Ctrl-C; results so far are kept, 'assay resume' goes on\n"
      "143  terminated; the same\n");
  return exit_code::kDone;
}

int help_environment() {
  fmt::print(
      "ASSAY_API_KEY      key for the servers you name; OPENAI_API_KEY if that is empty\n"
      "ASSAY_LOCK_FILE    the lock that keeps two runs from measuring each other\n"
      "ASSAY_ENGINE_DIR   where the bundled engine is\n"
      "ASSAY_<OPTION>     any option, such as ASSAY_BUDGET=30s or ASSAY_DATA_DIR\n"
      "ASSAY_PROC_ROOT, ASSAY_SYS_ROOT, ASSAY_NVML_LIBRARY   other sensors than this machine's,\n"
      "                   such as a recorded tree; then NVIDIA's are not looked for\n"
      "OLLAMA_HOST        where Ollama is looked for\n"
      "XDG_DATA_HOME, XDG_CONFIG_HOME, XDG_CACHE_HOME, XDG_RUNTIME_DIR\n"
      "NO_COLOR, CLICOLOR_FORCE, TERM, COLUMNS, SSL_CERT_FILE, SSL_CERT_DIR\n");
  return exit_code::kDone;
}

}  // namespace

int command_help(Invocation& invocation) {
  const auto& words = invocation.arguments.find("TOPIC")->second;
  const std::string topic = join(words, " ");
  if (topic == "metrics") return help_metrics();
  if (topic == "exit-codes") return help_exit_codes();
  if (topic == "environment") return help_environment();
  if (const Metric* metric = find_metric(topic)) {
    print_metric(*metric);
    return exit_code::kDone;
  }
  if (!names_command(words)) {
    return report_failure(Error(Errc::kInvalidArgument,
                                fmt::format("there is no help on '{}'", printable(topic, 60)),
                                "topics are commands, metrics, exit-codes and environment"));
  }
  // Everything else is the command's own --help.
  std::vector<std::string> line{"assay"};
  line.insert(line.end(), words.begin(), words.end());
  line.emplace_back("--help");
  std::vector<char*> argv;
  for (std::string& word : line) argv.push_back(word.data());
  return run_command_line(static_cast<int>(argv.size()), argv.data());
}

}  // namespace assay
