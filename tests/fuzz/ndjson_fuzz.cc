#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "engines/answer_reader.h"
#include "engines/builtin.h"

namespace {

/// What is kept of an answer that came in pieces of that many bytes.
std::string outcome_of(assay::Engine& engine, std::string_view body, size_t piece) {
  assay::CallRecord record;
  record.at.sent = 0;
  const assay::CallRequest request("m", "p", assay::CallSettings());
  assay::StreamRecorder recorder(record, 0, request, nullptr, nullptr);
  assay::AnswerReader reader(engine, recorder);
  assay::ResponseHead head;
  head.status = 200;
  head.headers = {{"content-type", "application/x-ndjson"}};
  bool more = true;
  while (!body.empty() && more) {
    const std::string part(body.substr(0, piece));
    body.remove_prefix(part.size());
    more = reader.feed(head, part, assay::Stamp{1, 1, true});
  }
  reader.end(head, std::nullopt, assay::Expired::kNo);
  return recorder.text() + '\n' + std::string(assay::to_text(record.outcome)) + '\n' +
         record.error_code.value_or("");
}

}  // namespace

/// Whatever an engine sends as lines of JSON, the call ends, and the same wherever it was cut.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static boost::asio::io_context io;
  static assay::HttpClient http(io);
  static const auto engine = assay::make_ollama(http, assay::Url(), assay::Secret());
  if (size == 0) return 0;
  const size_t piece = 1 + data[0] % 16;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  ASSAY_CHECK(outcome_of(*engine, body, body.size() + 1) == outcome_of(*engine, body, piece));
  return 0;
}
