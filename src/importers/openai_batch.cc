#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "importers/fields.h"
#include "importers/run_builder.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

/// Counts of chat completions, or of responses by their other names.
void read_usage(const Fields& body, CallRecord& r) {
  const Fields usage = body.object("usage");
  r.prompt_tokens = usage.count("prompt_tokens");
  if (!r.prompt_tokens) r.prompt_tokens = usage.count("input_tokens");
  r.usage_output_tokens = usage.count("completion_tokens");
  if (!r.usage_output_tokens) r.usage_output_tokens = usage.count("output_tokens");
  for (const char* name : {"prompt_tokens_details", "input_tokens_details"}) {
    if (usage.has(name)) r.cached_tokens = usage.object(name).count("cached_tokens");
  }
  for (const char* name : {"completion_tokens_details", "output_tokens_details"}) {
    if (usage.has(name)) r.reasoning_tokens = usage.object(name).count("reasoning_tokens");
  }
}

void read_choice(const Fields& body, const std::string& place, Faults& faults, CallRecord& r) {
  const Json* choices = body.list("choices");
  if (choices == nullptr || choices->empty()) return;
  const Fields choice((*choices)[0], place + ", 'choices'[0]", faults);
  const std::string reason = choice.text("finish_reason");
  if (!reason.empty()) r.finish_reason = printable(reason, 40);
  if (reason == "length") r.flags.emplace_back("length");
  std::string text = choice.object("message").text_if_text("content");
  if (text.empty()) text = choice.text_if_text("text");
  r.text_bytes = std::ssize(text);
}

/// What went wrong, from the place where a failure of this kind stands.
std::string error_of(const Fields& line, const Fields& body) {
  for (const Fields& error : {line.object("error"), body.object("error")}) {
    std::string message = error.text_if_text("message");
    if (!message.empty()) return message;
    std::string code = error.text_if_text("code");
    if (!code.empty()) return code;
  }
  return {};
}

void add_line(const Json& json, const std::string& place, RunBuilder& run, Faults& faults,
              bool& fits) {
  const Fields line(json, place, faults);
  if (!line.has("custom_id")) line.fault("custom_id", "it is missing");
  const Fields response = line.object("response");
  const Fields body = response.object("body");
  const auto status = response.count("status_code");
  CallRecord r;
  if (line.has("error") || !status || *status != 200) {
    set_failed(r, error_of(line, body), status);
  } else {
    r.outcome = Outcome::kOk;
    r.http_status = status;
    read_usage(body, r);
    read_choice(body, place, faults, r);
  }
  fits = run.add(run.leg(run.cell(""), "batch", Phase::kMeasure, 1), std::move(r));
}

/// The model that the first answered request names.
std::string model_of(const ImportText& source) {
  Faults ignored;
  for (size_t i = 0; i < source.size(); ++i) {
    const Fields line(source.at(i), "", ignored);
    std::string model = line.object("response").object("body").text_if_text("model");
    if (!model.empty()) return model;
  }
  return {};
}

}  // namespace

bool fits_openai_batch(const ImportText& source) {
  if (source.size() == 0) return false;
  const Json& first = source.at(0);
  return first.is_object() && first.contains("custom_id") &&
         (first.contains("response") || first.contains("error"));
}

Result<ImportedRun> read_openai_batch(const ImportText& source, const ImportHints& hints) {
  Faults faults;
  ImportHints known = hints;
  // One batch asks one model; lines of failed requests do not name it.
  if (known.model.empty()) known.model = printable(model_of(source), 400);
  RunBuilder run(known, "openai");
  run.define("a batch tells what was answered and counted, and no times: there is no speed");
  bool fits = true;
  for (size_t i = 0; i < source.size() && fits && !faults.any(); ++i) {
    add_line(source.at(i), source.place(i), run, faults, fits);
  }
  if (faults.any()) return fail(faults.error());
  if (!fits) return too_many_calls();
  return run.finish();
}

}  // namespace assay
