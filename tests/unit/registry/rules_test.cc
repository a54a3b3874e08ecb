#include <limits>

#include "registry/eligibility.h"
#include "registry/find_models.h"
#include "registry/memory_need.h"
#include "registry/split_name.h"
#include "registry_test_support.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RegisteredModel whole_model(const std::string& name = "a") {
  RegisteredModel m;
  m.listed.place = "directory";
  m.listed.root = "/models";
  m.listed.path = name + ".gguf";
  m.listed.name = name;
  m.listed.files = {"/models/" + name + ".gguf"};
  m.header = GgufInfo{};
  m.present = true;
  return m;
}

TEST(SplitNames, AreReadAndWritten) {
  const auto part = parse_split_name("my-model-00002-of-00010.gguf");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->prefix, "my-model");
  EXPECT_EQ(part->no, 2);
  EXPECT_EQ(part->count, 10);
  EXPECT_EQ(split_file_name(*part), "my-model-00002-of-00010.gguf");
  for (const char* none :
       {"a.gguf", "-00001-of-00002.gguf", "a-00003-of-00002.gguf", "a-00000-of-00002.gguf",
        "a-0000x-of-00002.gguf", "a-00001-of-99999.gguf", "a-00001-off00002.gguf",
        "a-00001-of-00002.bin"}) {
    EXPECT_FALSE(parse_split_name(none)) << none;
  }
}

TEST(Eligibility, NeedsAllThreeFacts) {
  RegisteredModel m = whole_model();
  EXPECT_THAT(why_not_eligible(m), ElementsAre("it is not enabled"));
  m.benchmark = true;  // Says nothing yet.
  EXPECT_THAT(why_not_eligible(m), ElementsAre("it is not enabled"));
  m.enabled = true;
  EXPECT_TRUE(is_eligible(m));
  m.benchmark = false;
  EXPECT_THAT(why_not_eligible(m), ElementsAre("it is not enabled for benchmarks"));
}

TEST(Eligibility, NamesWhatIsWrongWithTheFiles) {
  RegisteredModel m = whole_model();
  m.enabled = m.benchmark = true;
  m.state = ModelState::kIncomplete;
  m.reason = "a part is missing: x";
  EXPECT_THAT(why_not_enabled(m), ElementsAre("a part is missing: x"));
  EXPECT_THAT(why_not_eligible(m), ElementsAre("a part is missing: x"));
}

TEST(Eligibility, LeavesOutWhatGeneratesNoText) {
  RegisteredModel m = whole_model();
  m.enabled = m.benchmark = true;
  for (const ModelKind kind :
       {ModelKind::kProjector, ModelKind::kAdapter, ModelKind::kVocabulary}) {
    m.kind = kind;
    EXPECT_EQ(why_not_enabled(m).size(), 1U);
    EXPECT_FALSE(is_eligible(m));
  }
  m.kind = ModelKind::kEmbedding;
  EXPECT_TRUE(why_not_enabled(m).empty());
  EXPECT_THAT(why_not_eligible(m).at(0), HasSubstr("vectors"));
}

TEST(MemoryNeed, IsWeightsContextAndBuffers) {
  RegisteredModel m = whole_model();
  m.bytes = 1'000'000;
  m.header->context_length = 2048;
  m.header->vocabulary = 1000;
  m.header->cache_bytes_per_token = 512.0;
  const auto need = memory_need(m);
  ASSERT_TRUE(need);
  EXPECT_EQ(need->context_length, 2048);  // Less than the usual.
  EXPECT_EQ(need->weights, 1'000'000);
  EXPECT_EQ(need->cache, 2048 * 512);
  EXPECT_EQ(need->compute, 512 * 4 * 1000 + (64 << 20));
  EXPECT_EQ(need->total(), need->weights + *need->cache + need->compute);
  EXPECT_EQ(memory_need(m, 100)->cache, 100 * 512);
  m.header->context_length = 100'000;
  EXPECT_EQ(memory_need(m)->context_length, kUsualContext);
}

TEST(MemoryNeed, SaysSoWhereTheHeaderDoesNotTell) {
  RegisteredModel m = whole_model();
  EXPECT_FALSE(memory_need(m)->cache);
  m.header->cache_bytes_per_token = 1e300;  // Headers can say anything.
  m.header->vocabulary = std::numeric_limits<int64_t>::max();
  EXPECT_GT(memory_need(m)->total(), 0);
  m.state = ModelState::kBroken;
  EXPECT_FALSE(memory_need(m));
}

TEST(MemoryNeed, FitsIntoOnePoolOrNone) {
  MemoryNeed need;
  need.weights = 100;
  const std::vector<MemoryPool> pools{{"gpu 0", 50}, {"memory", 100}};
  ASSERT_NE(fitting_pool(need, pools), nullptr);
  EXPECT_EQ(fitting_pool(need, pools)->name, "memory");
  need.cache = 1;
  EXPECT_EQ(fitting_pool(need, pools), nullptr);
  EXPECT_EQ(fitting_pool(need, {}), nullptr);
}

TEST(FindModels, ByNamePathPatternAndFingerprint) {
  std::vector<RegisteredModel> models{whole_model("sub/Tiny"), whole_model("other"),
                                      whole_model("twin"), whole_model("deep/twin")};
  models[0].fingerprint = "0123456789";
  models[1].fingerprint = "01234fffff";
  const auto found = [&](std::string_view name) { return find_models(models, name).value(); };
  EXPECT_THAT(found("sub/Tiny"), ElementsAre(0));
  EXPECT_THAT(found("SUB/tiny"), ElementsAre(0));
  EXPECT_THAT(found("tiny"), ElementsAre(0));
  EXPECT_THAT(found("/models/other.gguf"), ElementsAre(1));
  EXPECT_THAT(found("012345"), ElementsAre(0));
  EXPECT_THAT(found("*t*"), ElementsAre(1, 2, 3));
  EXPECT_THAT(found("twin"), ElementsAre(2));  // The whole name goes before its last part.
}

TEST(FindModels, SaysWhatToDoWhenThereIsNotOne) {
  std::vector<RegisteredModel> models{whole_model("x/tiny"), whole_model("y/tiny")};
  models[0].fingerprint = "aaaaaaaaaa";
  models[1].fingerprint = "bbbbbbbbbb";
  const auto two = find_models(models, "tiny");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().code, Errc::kInvalidArgument);
  EXPECT_THAT(two.error().message, HasSubstr("aaaaaaaa (directory x/tiny), bbbbbbbb"));
  const auto none = find_models(models, "x/tin");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::kNotFound);
  EXPECT_EQ(none.error().hint, "did you mean x/tiny?");
  EXPECT_EQ(find_models(models, "z*").error().code, Errc::kNotFound);
  EXPECT_EQ(find_models(models, "aaaaa").error().code, Errc::kNotFound);  // Too short.
  models[1].state = ModelState::kShadowed;
  EXPECT_TRUE(find_models(models, "tiny"));
}

}  // namespace
}  // namespace assay
