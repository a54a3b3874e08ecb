#include <fmt/format.h>

#include <string>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"
#include "reports/layout.h"
#include "stats/metrics.h"

namespace assay {
namespace {

int help_metrics() {
  for (const Metric& metric : metrics()) {
    std::string head = fmt::format("{:<17} {:<6} ", metric.name, metric.unit);
    for (const auto& line : wrap(metric.definition, kConsoleWidth - head.size(), 0)) {
      fmt::print("{}{}\n", head, line);
      head.assign(head.size(), ' ');
    }
  }
  return exit_code::kDone;
}

int help_exit_codes() {
  fmt::print(
      "  0  done\n"
      "  1  failed\n"
      "  2  usage: an option, a value or a name is wrong\n"
      "  3  a threshold was missed, or something became slower\n"
      "  4  refused: another run measures, or a check before the run failed\n"
      "  5  no target can be reached\n"
      "  6  more failed calls than --max-failed (default: when every call failed)\n"
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
  // Everything else is the command's own --help.
  std::vector<std::string> line{"assay"};
  line.insert(line.end(), words.begin(), words.end());
  line.emplace_back("--help");
  std::vector<char*> argv;
  for (std::string& word : line) argv.push_back(word.data());
  return run_command_line(static_cast<int>(argv.size()), argv.data());
}

}  // namespace assay
