#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"
#include "run/suites.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

Json suite_json(const Suite& suite) {
  Json prompts = Json::array();
  for (const Prompt& p : suite.prompts) {
    prompts.push_back({{"id", p.id},
                       {"sha256", p.sha256},
                       {"max_tokens", p.max_tokens ? Json(*p.max_tokens) : Json(nullptr)},
                       {"text", p.text}});
  }
  return {{"name", suite.name},
          {"summary", suite.summary},
          {"revision", suite.revision},
          {"frozen", suite.frozen},
          {"prompts", prompts}};
}

void print_json(const Json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

int command_suites_list(Invocation& invocation) {
  Json list = Json::array();
  for (const Suite& suite : builtin_suites()) {
    list.push_back(suite_json(suite));
    if (invocation.spec.json) continue;
    fmt::print("{:<10} {:<13} {}\n", suite.name, suite.revision, suite.summary);
  }
  if (invocation.spec.json) print_json({{"schema", "assay.suites/1"}, {"suites", list}});
  return exit_code::kDone;
}

int command_suites_show(Invocation& invocation) {
  const auto suite = load_suite(invocation.argument("SUITE"));
  if (!suite) return report_failure(suite.error());
  if (invocation.spec.json) {
    print_json(suite_json(*suite));
    return exit_code::kDone;
  }
  fmt::print("{}@{}{}{}\n", suite->name, suite->revision, suite->frozen ? "  frozen" : "",
             suite->summary.empty() ? "" : "\n" + suite->summary);
  for (const Prompt& p : suite->prompts) {
    fmt::print("\n{}  sha256 {}  max_tokens {}\n  {}\n", printable(p.id, 60),
               p.sha256.substr(0, 12), p.max_tokens ? fmt::format("{}", *p.max_tokens) : "-",
               printable(p.text, 600));
  }
  return exit_code::kDone;
}

}  // namespace assay
