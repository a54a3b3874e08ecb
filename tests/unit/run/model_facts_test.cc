#include "run/model_facts.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "support/gguf_bytes.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

class ModelFacts : public testing::Test {
 protected:
  ModelFacts() {
    std::string name = (fs::temp_directory_path() / "assay-facts-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~ModelFacts() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string put(const std::string& bytes) const {
    const fs::path file = folder_ / "m.gguf";
    std::ofstream(file, std::ios::binary) << bytes;
    return file.string();
  }

 private:
  fs::path folder_;
};

TEST_F(ModelFacts, TheHeaderTellsWhatTheServerDoesNot) {
  constexpr uint32_t kQ8_0 = 7;  // Of general.file_type.
  ModelInfo model;
  model.file = put(gguf_bytes::File()
                       .string("general.architecture", "qwen3")
                       .number("general.file_type", kQ8_0)
                       .number("qwen3.context_length", 4096)
                       .matrix("blk.0.attn_q.weight", 32, 4, 0, 512)
                       .bytes());
  model.max_context = 8192;
  complete_from_file(model);
  EXPECT_EQ(model.architecture, "qwen3");
  EXPECT_EQ(model.quantization, "Q8_0");
  EXPECT_EQ(model.parameters, 128);
  EXPECT_EQ(model.bytes, static_cast<int64_t>(fs::file_size(model.file)));
  EXPECT_EQ(model.max_context, 8192) << "the server's word holds";
}

TEST_F(ModelFacts, AFileThatCannotBeReadLeavesEverythingAsItWas) {
  ModelInfo model;
  for (const std::string& file : {std::string("/nowhere/m.gguf"), std::string("m.gguf"),
                                  std::string(), put("no model at all")}) {
    model.file = file;
    complete_from_file(model);
    EXPECT_EQ(model.architecture, "");
    EXPECT_FALSE(model.bytes);
  }
}

}  // namespace
}  // namespace assay
