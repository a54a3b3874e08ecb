// A ledger may end in the middle of a line or be edited by hand: any bytes are read or refused, and
// what is read and written once is the same bytes when read and written again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "model/json.h"

namespace assay {
namespace {

template <class Parse, class Write>
void expect_stable(std::string_view line, Parse parse, Write write) {
  const auto record = parse(line);
  if (!record) return;
  const std::string written = write(*record);
  const auto again = parse(written);
  if (!again || write(*again) != written) std::abort();
}

}  // namespace
}  // namespace assay

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  if (!line_type(line)) return 0;
  expect_stable(line, parse_call, call_line);
  expect_stable(line, parse_meta, meta_line);
  expect_stable(line, parse_end, end_line);
  return 0;
}
