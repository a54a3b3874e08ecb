#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "model/json.h"

/// No line, however damaged, may crash the ledger's reader; what it accepts it also writes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  (void)assay::line_type(line);
  if (const auto call = assay::parse_call(line)) {
    ASSAY_CHECK(assay::parse_call(assay::call_line(*call)));
  }
  if (const auto meta = assay::parse_meta(line)) {
    ASSAY_CHECK(assay::parse_meta(assay::meta_line(*meta)));
  }
  if (const auto end = assay::parse_end(line)) {
    ASSAY_CHECK(assay::parse_end(assay::end_line(*end)));
  }
  if (const auto load = assay::parse_load(line)) {
    ASSAY_CHECK(assay::parse_load(assay::load_line(*load)));
  }
  return 0;
}
