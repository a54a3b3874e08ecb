#include "gguf/dummy_model.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <string>

#include "base/files.h"
#include "gguf/gguf_reader.h"

namespace assay {
namespace {

// A directory of the test's own, removed with all it holds.
class DummyModelFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/dummy_model_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::filesystem::path path(std::string_view name) const {
    return directory_ / name;
  }
  [[nodiscard]] size_t files_left() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(directory_), {}));
  }

  std::filesystem::path directory_;
};

std::map<std::string, ShapeInfo> shapes_by_name() {
  std::map<std::string, ShapeInfo> shapes;
  for (ShapeInfo& shape : known_shapes()) shapes.emplace(shape.name, shape);
  return shapes;
}

int64_t size_of(const ShapeInfo& shape, std::string_view quantisation) {
  for (const QuantisedSize& size : shape.sizes) {
    if (size.quantisation == quantisation) return size.file_bytes;
  }
  return 0;
}

TEST(DummyModelShapes, HaveThePublishedParameterCounts) {
  const auto shapes = shapes_by_name();
  EXPECT_EQ(shapes.at("smollm2-135m").parameters, 134'515'008);
  EXPECT_EQ(shapes.at("smollm2-360m").parameters, 361'821'120);
  EXPECT_EQ(shapes.at("qwen2.5-0.5b").parameters, 494'032'768);
  EXPECT_EQ(shapes.at("llama-3.2-1b").parameters, 1'235'814'400);
  EXPECT_EQ(shapes.at("qwen2.5-1.5b").parameters, 1'543'714'304);
  EXPECT_EQ(shapes.at("llama-3.2-3b").parameters, 3'212'749'824);
  EXPECT_EQ(shapes.at("qwen2.5-7b").parameters, 7'615'616'512);
  EXPECT_EQ(shapes.at("llama-3.1-8b").parameters, 8'030'261'248);
  EXPECT_EQ(shapes.at("qwen3-0.6b").parameters, 596'049'920);
  EXPECT_EQ(shapes.at("qwen3-1.7b").parameters, 1'720'574'976);
  EXPECT_EQ(shapes.at("qwen3-4b").parameters, 4'022'468'096);
  EXPECT_EQ(shapes.at("qwen3-8b").parameters, 8'190'735'360);
}

TEST(DummyModelShapes, AreAsLargeAsTheRealFiles) {
  // Files on huggingface.co; those of Qwen 3 are Qwen's own. Real files differ by their
  // vocabulary's text: a few megabytes.
  struct RealFile {
    std::string_view shape;
    std::string_view quantisation;
    double bytes;
  };
  const auto shapes = shapes_by_name();
  for (const RealFile& real :
       {RealFile{"llama-3.2-1b", "q8_0", 1.321e9}, RealFile{"llama-3.2-1b", "q4_k_m", 0.808e9},
        RealFile{"llama-3.2-3b", "q4_k_m", 2'019'377'600},
        RealFile{"llama-3.1-8b", "q4_k_m", 4.921e9}, RealFile{"qwen3-0.6b", "q8_0", 639'446'688},
        RealFile{"qwen3-1.7b", "q8_0", 1'834'426'016},
        RealFile{"qwen3-4b", "q4_k_m", 2'497'280'256},
        RealFile{"qwen3-8b", "q4_k_m", 5'027'783'488}}) {
    const ShapeInfo& shape = shapes.at(std::string(real.shape));
    EXPECT_NEAR(static_cast<double>(size_of(shape, real.quantisation)), real.bytes, 6e6)
        << real.shape << ":" << real.quantisation;
  }
}

TEST(DummyModelSpecText, NamesAShapeAndAQuantisation) {
  const auto spec = parse_shape(" Llama-3.2-1B:Q4_K_M ");
  ASSERT_TRUE(spec.has_value());
  EXPECT_EQ(spec->shape, "llama-3.2-1b");
  EXPECT_EQ(spec->quantisation, Quantisation::kQ4_K_M);
}

TEST(DummyModelSpecText, MeansQ8WithoutAQuantisation) {
  const auto spec = parse_shape("tiny");
  ASSERT_TRUE(spec.has_value());
  EXPECT_EQ(spec->quantisation, Quantisation::kQ8_0);
}

TEST(DummyModelSpecText, SuggestsTheNearestShapeAndListsAll) {
  const auto spec = parse_shape("lama-3.2-1b:q8_0");
  ASSERT_FALSE(spec.has_value());
  EXPECT_EQ(spec.error().code, Errc::kInvalidArgument);
  EXPECT_NE(spec.error().message.find("did you mean llama-3.2-1b?"), std::string::npos);
  EXPECT_NE(spec.error().hint.find("qwen2.5-7b"), std::string::npos);
}

TEST(DummyModelSpecText, SuggestsTheNearestQuantisation) {
  for (const char* text : {"tiny:q4_km", "tiny:", "tiny:q8_0:x"}) {
    const auto spec = parse_shape(text);
    ASSERT_FALSE(spec.has_value()) << text;
    EXPECT_NE(spec.error().hint.find("q4_k_m"), std::string::npos);
  }
}

TEST_F(DummyModelFile, IsAsLargeAsPredictedAndReadsBack) {
  const auto shapes = shapes_by_name();
  for (const char* name : {"tiny", "small"}) {
    for (const QuantisationFormat& format : quantisation_formats()) {
      DummyModelSpec spec;
      spec.shape = name;
      spec.quantisation = format.quantisation;
      const auto written = write_dummy_model(spec, path("m.gguf"));
      ASSERT_TRUE(written.has_value()) << written.error().message;
      const auto info = read_gguf_info(path("m.gguf"));
      ASSERT_TRUE(info.has_value()) << info.error().message;
      EXPECT_EQ(info->file_bytes, size_of(shapes.at(name), format.name));
      EXPECT_EQ(info->file_bytes, written->file_bytes);
      EXPECT_EQ(info->parameters, shapes.at(name).parameters);
      EXPECT_EQ(info->architecture, "llama");
      EXPECT_EQ(info->name, name);
      EXPECT_EQ(info->quantisation, format.name);
      EXPECT_EQ(info->context_length, shapes.at(name).context_length);
      EXPECT_TRUE(info->random_weights);
      EXPECT_FALSE(info->scripted);
    }
  }
}

TEST_F(DummyModelFile, IsTheSameForTheSameSeedOnly) {
  DummyModelSpec spec;
  const auto bytes_of = [&](uint64_t seed) {
    spec.seed = seed;
    EXPECT_TRUE(write_dummy_model(spec, path("m.gguf")).has_value());
    return read_file(path("m.gguf")).value();
  };
  const std::string first = bytes_of(7);
  EXPECT_EQ(first, bytes_of(7));
  EXPECT_NE(first, bytes_of(8));
}

TEST_F(DummyModelFile, StatesTheContextLengthAskedFor) {
  DummyModelSpec spec;
  spec.context_length = 77;
  ASSERT_TRUE(write_dummy_model(spec, path("m.gguf")).has_value());
  EXPECT_EQ(read_gguf_info(path("m.gguf"))->context_length, 77);
}

TEST_F(DummyModelFile, SaysWhetherItIsScripted) {
  DummyModelSpec spec;
  spec.mode = DummyMode::kScript;
  ASSERT_TRUE(write_dummy_model(spec, path("m.gguf")).has_value());
  const auto info = read_gguf_info(path("m.gguf"));
  EXPECT_FALSE(info->random_weights);
  EXPECT_TRUE(info->scripted);
}

TEST_F(DummyModelFile, ReportsProgressUpToTheWholeFile) {
  int64_t last = 0;
  int64_t of = 0;
  const auto written = write_dummy_model({}, path("m.gguf"), [&](int64_t done, int64_t total) {
    EXPECT_GT(done, last);
    last = done;
    of = total;
    return true;
  });
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(last, written->file_bytes);
  EXPECT_EQ(of, written->file_bytes);
}

TEST_F(DummyModelFile, LeavesNothingBehindWhenStopped) {
  const auto written =
      write_dummy_model({}, path("m.gguf"), [](int64_t, int64_t) { return false; });
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, Errc::kCancelled);
  EXPECT_EQ(files_left(), 0U);
}

TEST_F(DummyModelFile, RefusesWhatItCannotMake) {
  DummyModelSpec script;
  script.shape = "small";
  script.mode = DummyMode::kScript;
  EXPECT_EQ(write_dummy_model(script, path("m")).error().code, Errc::kInvalidArgument);
  DummyModelSpec context;
  context.context_length = 0;
  EXPECT_EQ(write_dummy_model(context, path("m")).error().code, Errc::kInvalidArgument);
  DummyModelSpec shape;
  shape.shape = "huge";
  EXPECT_EQ(write_dummy_model(shape, path("m")).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(write_dummy_model({}, path("none/m")).error().code, Errc::kNotFound);
  EXPECT_EQ(write_dummy_model({}, directory_).error().code, Errc::kIo);
  EXPECT_EQ(files_left(), 0U);
}

}  // namespace
}  // namespace assay
