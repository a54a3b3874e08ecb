// Writes the two models that the engine's tests load: write_models FOLDER.
#include <cstdio>
#include <filesystem>

#include "gguf/dummy_model.h"

namespace {

bool write(const assay::DummyModelSpec& spec, const std::filesystem::path& out) {
  const auto written = assay::write_dummy_model(spec, out);
  if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  return written.has_value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path folder = argv[1];
  assay::DummyModelSpec spec;
  const bool random = write(spec, folder / "random.gguf");
  spec.mode = assay::DummyMode::kScript;
  return random && write(spec, folder / "script.gguf") ? 0 : 1;
}
