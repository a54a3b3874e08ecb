#include "registry/scan.h"

#include "base/ids.h"
#include "registry/fingerprint.h"
#include "registry/model_file.h"
#include "registry_test_support.h"

namespace assay {
namespace {

using testing::HasSubstr;

const RegisteredModel& model(const Scan& scan, const std::string& name) {
  for (const RegisteredModel& m : scan.models) {
    if (m.listed.name == name) return m;
  }
  ADD_FAILURE() << "there is no model " << name;
  static const RegisteredModel none;
  return none;
}

void expect_reason(const RegisteredModel& m, ModelState state, const std::string& reason) {
  EXPECT_EQ(to_text(m.state), to_text(state)) << m.listed.name;
  EXPECT_THAT(m.reason, HasSubstr(reason)) << m.listed.name;
}

class Models : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& bytes) const {
    box.put("models/" + name, bytes);
  }
  Sandbox box;
};

TEST_F(Models, AFileHasTheFingerprintThatAScanGivesIt) {
  put("sub/Plain-Q8_0.gguf", small_file());
  const Scan found = scan(box);
  const RegisteredModel& m = model(found, "sub/Plain-Q8_0");
  Surroundings where;
  where.variable = [](const char*) { return std::string(); };
  // Nowhere that is scanned: as if its own folder had been named.
  EXPECT_EQ(file_fingerprint(m.listed.files.front(), where), sha1_hex("plain-q8_0.gguf"));
  where.models_dirs = {m.listed.root};
  EXPECT_EQ(file_fingerprint(m.listed.files.front(), where), m.fingerprint);
}

TEST_F(Models, AWholeFileIsDescribed) {
  put("sub/Plain-Q8_0.gguf", small_file());
  const Scan found = scan(box);
  const RegisteredModel& m = model(found, "sub/Plain-Q8_0");
  EXPECT_EQ(m.state, ModelState::kWhole);
  EXPECT_EQ(m.kind, ModelKind::kText);
  EXPECT_TRUE(m.present);
  EXPECT_EQ(m.fingerprint, sha1_hex("sub/plain-q8_0.gguf"));
  EXPECT_EQ(m.bytes, static_cast<int64_t>(small_file().size()));
  ASSERT_TRUE(m.header);
  EXPECT_EQ(m.header->architecture, "llama");
  EXPECT_EQ(m.header->quantisation, "q8_0");
  EXPECT_EQ(m.header->context_length, 2048);
  EXPECT_EQ(m.header->parameters, 32);
  EXPECT_FALSE(m.header->chat_template);
}

TEST_F(Models, QuantisationComesFromTheFileTypeOrTheTensors) {
  put("typed.gguf",
      small_model().number("general.file_type", 15).matrix("t", 256, 1, 12, 144).bytes());
  put("untyped.gguf", small_model().matrix("t", 256, 1, 14, 210).bytes());
  put("new.gguf", small_model().matrix("t", 256, 1, 99, 64).bytes());
  const Scan found = scan(box);
  EXPECT_EQ(model(found, "typed").header->quantisation, "q4_k_m");
  EXPECT_EQ(model(found, "untyped").header->quantisation, "q6_k");
  EXPECT_EQ(model(found, "new").header->quantisation, "");
  EXPECT_EQ(model(found, "new").state, ModelState::kWhole);
}

TEST_F(Models, ACompleteSetIsOneModel) {
  for (int no = 1; no <= 3; ++no) {
    put("big-0000" + std::to_string(no) + "-of-00003.gguf", part_file(no, 3, 3));
  }
  put("single-00001-of-00001.gguf", small_file());
  const Scan found = scan(box);
  ASSERT_EQ(found.models.size(), 2U);
  const RegisteredModel& set = model(found, "big");
  EXPECT_EQ(set.state, ModelState::kWhole) << set.reason;
  EXPECT_EQ(set.fingerprint, sha1_hex("big-00001-of-00003.gguf"));
  EXPECT_EQ(set.listed.files.size(), 3U);
  EXPECT_EQ(set.header->tensors, 3);
  EXPECT_EQ(set.header->parameters, 96);
  int64_t bytes = 0;
  for (int no = 1; no <= 3; ++no) bytes += static_cast<int64_t>(part_file(no, 3, 3).size());
  EXPECT_EQ(set.bytes, bytes);
  EXPECT_EQ(model(found, "single").state, ModelState::kWhole);
}

TEST_F(Models, AnIncompleteSetSaysWhatIsMissing) {
  put("holed-00001-of-00003.gguf", part_file(1, 3, 3));
  put("holed-00003-of-00003.gguf", part_file(3, 3, 3));
  put("headless-00002-of-00002.gguf", part_file(2, 2, 2));
  put("far-00009-of-00009.gguf", part_file(9, 9, 9));
  const Scan found = scan(box);
  const RegisteredModel& holed = model(found, "holed");
  expect_reason(holed, ModelState::kIncomplete, "a part is missing: holed-00002-of-00003.gguf");
  EXPECT_EQ(holed.header->architecture, "llama");
  EXPECT_FALSE(holed.present);
  const RegisteredModel& headless = model(found, "headless");
  expect_reason(headless, ModelState::kIncomplete, "headless-00001-of-00002.gguf");
  EXPECT_FALSE(headless.header);
  // It keeps the identity that it has when whole.
  EXPECT_EQ(headless.fingerprint, sha1_hex("headless-00001-of-00002.gguf"));
  expect_reason(model(found, "far"), ModelState::kIncomplete, "parts are missing");
  expect_reason(model(found, "far"), ModelState::kIncomplete, "and 5 more");
}

TEST_F(Models, HeadersThatContradictTheirNamesAreFound) {
  put("renamed.gguf", part_file(1, 2, 2));
  put("liar-00001-of-00002.gguf", small_file());
  put("liar-00002-of-00002.gguf", small_file());
  put("swapped-00001-of-00002.gguf", part_file(2, 2, 2));
  put("swapped-00002-of-00002.gguf", part_file(1, 2, 2));
  put("short-00001-of-00002.gguf", part_file(1, 2, 5));
  put("short-00002-of-00002.gguf", part_file(2, 2, 5));
  const Scan found = scan(box);
  expect_reason(model(found, "renamed"), ModelState::kIncomplete,
                "renamed.gguf says that it is part 1 of 2");
  expect_reason(model(found, "renamed"), ModelState::kIncomplete, "-00001-of-00002.gguf");
  expect_reason(model(found, "liar"), ModelState::kBroken, "says that it is whole");
  expect_reason(model(found, "swapped"), ModelState::kBroken, "says that it is part 2 of 2");
  expect_reason(model(found, "short"), ModelState::kBroken, "hold 2 tensors, and should hold 5");
}

TEST_F(Models, BrokenFilesSayWhy) {
  using namespace gguf_bytes;
  const std::string whole = small_file();
  put("cut-header.gguf", whole.substr(0, 60));
  put("cut-data.gguf", whole.substr(0, whole.size() - 1));
  put("magic.gguf", "PK" + whole.substr(2));
  put("empty.gguf", "");
  put("huge.gguf", start(~uint64_t{0}, ~uint64_t{0}));
  put("old.gguf", start(0, 0, 1) + std::string(64, '\0'));
  put("future.gguf", start(0, 0, 9) + std::string(64, '\0'));
  put("nameless.gguf", File().matrix("t", 32, 1, 0, 128).bytes());
  const Scan found = scan(box);
  const std::map<std::string, std::string> reasons{{"cut-header", "ends inside"},
                                                   {"cut-data", "it is cut short"},
                                                   {"magic", "does not begin with GGUF"},
                                                   {"empty", "ends inside its header"},
                                                   {"huge", "tensors"},
                                                   {"old", "version 1"},
                                                   {"future", "version 9"},
                                                   {"nameless", "names no architecture"}};
  for (const auto& [name, reason] : reasons) {
    expect_reason(model(found, name), ModelState::kBroken, reason);
    EXPECT_TRUE(model(found, name).present);
  }
}

TEST_F(Models, KindsAreToldApart) {
  using namespace gguf_bytes;
  put("vision/eye.gguf", small_file());
  put("vision/mmproj-eye.gguf",
      File().string("general.architecture", "clip").matrix("v", 32, 1, 0, 128).bytes());
  put("lora.gguf",
      small_model().string("general.type", "adapter").matrix("t", 32, 1, 0, 128).bytes());
  put("embed.gguf", small_model()
                        .number("bert.pooling_type", 1)
                        .number("llama.pooling_type", 1)
                        .matrix("t", 32, 1, 0, 128)
                        .bytes());
  put("words.gguf", small_model().bytes());
  put("alone.gguf", small_file());
  const Scan found = scan(box);
  EXPECT_EQ(model(found, "vision/mmproj-eye").kind, ModelKind::kProjector);
  EXPECT_EQ(model(found, "lora").kind, ModelKind::kAdapter);
  EXPECT_EQ(model(found, "embed").kind, ModelKind::kEmbedding);
  EXPECT_EQ(model(found, "words").kind, ModelKind::kVocabulary);
  EXPECT_EQ(model(found, "vision/eye").kind, ModelKind::kText);
  EXPECT_EQ(model(found, "vision/eye").listed.projector,
            box.path() / "models/vision/mmproj-eye.gguf");
  EXPECT_FALSE(model(found, "alone").listed.projector);
}

TEST_F(Models, OtherFilesAreNotLookedAt) {
  put("readme.md", "GGUF");
  put("weights.bin", small_file());
  put("UPPER.GGUF", small_file());
  EXPECT_EQ(scan(box).models.size(), 1U);
}

TEST_F(Models, LinksAreFollowedAndLoopsEnd) {
  put("store/real.gguf", small_file());
  std::filesystem::create_directory_symlink(box.path() / "models", box.path() / "models/loop");
  std::filesystem::create_symlink("store/real.gguf", box.path() / "models/link.gguf");
  std::filesystem::create_symlink("nowhere.gguf", box.path() / "models/dangling.gguf");
  const Scan found = scan(box);
  EXPECT_EQ(found.models.size(), 2U);
  EXPECT_EQ(model(found, "link").state, ModelState::kWhole);
}

TEST_F(Models, ADirectoryThatIsNamedHasToBeThere) {
  const Scan found = scan(box);
  ASSERT_EQ(found.roots.size(), 1U);
  EXPECT_FALSE(found.roots[0].scanned);
  EXPECT_THAT(found.roots[0].problems.at(0), HasSubstr("there is no directory"));
}

TEST_F(Models, ASecondModelOfOneIdentityIsShadowed) {
  put("a.gguf", small_file());
  box.put("more/A.gguf", small_file());
  Surroundings where = box.surroundings();
  where.models_dirs.push_back(box.path() / "more");
  where.models_dirs.push_back(box.path() / "models");  // Twice is once.
  const Scan found = scan_models(where, DigestCache::load(box.path() / "data"));
  ASSERT_EQ(found.models.size(), 2U);
  EXPECT_EQ(found.models[0].state, ModelState::kWhole);
  expect_reason(found.models[1], ModelState::kShadowed, "models/a.gguf");
}

TEST_F(Models, ADirectoryInsideAnotherIsScannedOnce) {
  put("sub/a.gguf", small_file());
  Surroundings where = box.surroundings();
  where.models_dirs.push_back(box.path() / "models/sub");
  EXPECT_EQ(scan_models(where, DigestCache::load(box.path() / "data")).models.size(), 1U);
}

TEST_F(Models, DigestsAreComputedOnceAndKept) {
  put("a.gguf", small_file());
  for (int no = 1; no <= 2; ++no) {
    put("set-0000" + std::to_string(no) + "-of-00002.gguf", part_file(no, 2, 2));
  }
  put("broken.gguf", "x");
  const auto data = box.path() / "data";
  {
    auto cache = DigestCache::load(data);
    Scan found = scan(box);
    int64_t last = 0;
    ASSERT_TRUE(add_digests(found.models, cache, [&](const DigestsDone& done) {
      EXPECT_GE(done.done_bytes, last);
      last = done.done_bytes;
      return true;
    }));
    EXPECT_EQ(model(found, "a").digest, sha256_hex(small_file()));
    const std::string parts =
        sha256_hex(part_file(1, 2, 2)) + "\n" + sha256_hex(part_file(2, 2, 2)) + "\n";
    EXPECT_EQ(model(found, "set").digest, sha256_hex(parts));
    EXPECT_FALSE(model(found, "broken").digest);
  }
  const Scan again = scan(box);
  EXPECT_EQ(model(again, "a").digest, sha256_hex(small_file()));
  // A file that changed is read again.
  put("a.gguf", small_file() + "more");
  EXPECT_FALSE(model(scan(box), "a").digest);
}

TEST_F(Models, OnePassOfDigestsIsBoundedAndBeginsWithWhatMayBeTheSame) {
  put("alone.gguf", small_file() + "more");
  put("one.gguf", small_file());
  put("two.gguf", small_file());
  auto cache = DigestCache::load(box.path() / "data");
  Scan found = scan(box);
  const auto both = static_cast<int64_t>(2 * small_file().size());
  ASSERT_TRUE(add_digests(found.models, cache, {}, both));
  EXPECT_TRUE(model(found, "one").digest);
  EXPECT_EQ(model(found, "one").digest, model(found, "two").digest);
  EXPECT_FALSE(model(found, "alone").digest);
  ASSERT_TRUE(add_digests(found.models, cache, {}, 1));  // The next one goes on, and gets on.
  EXPECT_TRUE(model(found, "alone").digest);
}

TEST_F(Models, AProjectorBesideSeveralModelsBelongsToNone) {
  using namespace gguf_bytes;
  const std::string eye =
      File().string("general.architecture", "clip").matrix("v", 32, 1, 0, 128).bytes();
  put("one/a-q8.gguf", small_file());
  put("one/a-q4.gguf", small_file());
  put("one/mmproj-b.gguf", eye);
  put("one/mmproj-a.gguf", eye);
  put("many/a.gguf", small_file());
  put("many/b.gguf",
      File().string("general.architecture", "other").matrix("t", 32, 1, 0, 128).bytes());
  put("many/mmproj.gguf", eye);
  const Scan found = scan(box);
  const auto first = box.path() / "models/one/mmproj-a.gguf";
  EXPECT_EQ(model(found, "one/a-q8").listed.projector, first);
  EXPECT_EQ(model(found, "one/a-q4").listed.projector, first);
  EXPECT_FALSE(model(found, "many/a").listed.projector);
  EXPECT_FALSE(model(found, "many/b").listed.projector);
}

TEST_F(Models, AFileIsDescribedWithWhatLiesBesideIt) {
  put("set-00001-of-00002.gguf", part_file(1, 2, 2));
  put("set-00002-of-00002.gguf", part_file(2, 2, 2));
  put("holed-00002-of-00002.gguf", part_file(2, 2, 2));
  put("below/other.gguf", small_file());
  const auto at = [&](const char* name) { return describe_file(box.path() / "models" / name); };
  const RegisteredModel whole = at("set-00002-of-00002.gguf");
  EXPECT_EQ(whole.state, ModelState::kWhole);
  EXPECT_EQ(whole.listed.files.front().filename(), "set-00001-of-00002.gguf");
  EXPECT_EQ(whole.listed.files.size(), 2U);
  expect_reason(at("holed-00002-of-00002.gguf"), ModelState::kIncomplete,
                "holed-00001-of-00002.gguf");
}

TEST_F(Models, DigestsStopWhenAsked) {
  put("a.gguf", small_file());
  auto cache = DigestCache::load(box.path() / "data");
  Scan found = scan(box);
  const auto stopped = add_digests(found.models, cache, [](const DigestsDone&) { return false; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::kCancelled);
  EXPECT_FALSE(found.models[0].digest);
}

TEST_F(Models, ADamagedCacheIsAnEmptyOne) {
  put("a.gguf", small_file());
  for (const char* damaged : {"", "{", "[]", R"({"files":[{"path":3}]})"}) {
    box.put("data/digests.json", damaged);
    EXPECT_FALSE(model(scan(box), "a").digest);
  }
}

}  // namespace
}  // namespace assay
