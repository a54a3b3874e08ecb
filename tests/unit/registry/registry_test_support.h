#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "registry/scan.h"
#include "support/gguf_bytes.h"

namespace assay {

/// A home directory of a test's own.
class Sandbox {
 public:
  Sandbox() {
    std::string name = (std::filesystem::temp_directory_path() / "assay-registry-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Sandbox() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  void put(const std::filesystem::path& name, std::string_view bytes) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }

  /// Only what lies in the sandbox, whatever this machine has.
  [[nodiscard]] Surroundings surroundings() const {
    Surroundings where;
    where.home = path_ / "home";
    where.models_dirs = {path_ / "models"};
    where.system = path_ / "system";
    where.variable = [this](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::string() : found->second;
    };
    return where;
  }

  std::map<std::string, std::string> variables;

 private:
  std::filesystem::path path_;
};

inline Scan scan(const Sandbox& box) {
  return scan_models(box.surroundings(), DigestCache::load(box.path() / "data"));
}

/// A small llama of one matrix, 128 bytes of `f32`.
inline gguf_bytes::File small_model() {
  gguf_bytes::File file;
  file.string("general.architecture", "llama").number("llama.context_length", 2048);
  file.number("llama.block_count", 2).number("llama.embedding_length", 64);
  file.number("llama.attention.head_count", 4).number("llama.attention.head_count_kv", 2);
  return file;
}

inline std::string small_file() {
  return small_model().number("general.file_type", 7).matrix("t", 32, 1, 0, 128).bytes();
}

/// Part `no` of `count`, from 1 on, with one matrix; the first describes the model.
inline std::string part_file(int no, int count, int tensors) {
  gguf_bytes::File file = no == 1 ? small_model() : gguf_bytes::File();
  file.small_number("split.no", static_cast<uint16_t>(no - 1));
  file.small_number("split.count", static_cast<uint16_t>(count));
  file.signed_number("split.tensors.count", tensors);
  return file.matrix("t" + std::to_string(no), 32, 1, 0, 128).bytes();
}

}  // namespace assay
