#include <cstddef>
#include <cstdint>
#include <string_view>

#include "registry/ollama_manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)assay::parse_ollama_manifest(bytes);
  (void)assay::ollama_name(bytes);
  return 0;
}
