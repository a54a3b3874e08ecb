#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/files.h"
#include "gguf/gguf_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const assay::Fd file(::memfd_create("gguf", MFD_CLOEXEC));
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!assay::write_all(file.get(), bytes, "memory")) return 0;
  (void)assay::read_gguf_info(file.get(), static_cast<int64_t>(size), "fuzz");
  return 0;
}
