// What is looked at before it is published: any bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "archive/private_text.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const assay::Privacy privacy{
      .known = {"box"}, .versions = {"1.2.3.4"}, .names = {"m@q"}, .accepted = {"10.0.0.1"}};
  size_t last = 0;
  for (const assay::PrivateText& found : assay::find_private(text, privacy)) {
    ASSAY_CHECK(found.at >= last && found.at + found.text.size() <= text.size());
    ASSAY_CHECK(text.substr(found.at, found.text.size()) == found.text);
    last = found.at;
  }
  return 0;
}
