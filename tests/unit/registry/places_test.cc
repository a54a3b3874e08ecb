#include "base/ids.h"
#include "registry/ollama_manifest.h"
#include "registry/same_weights.h"
#include "registry_test_support.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string layer(const std::string& kind, const std::string& hex) {
  return R"({"mediaType":"application/vnd.ollama.image.)" + kind + R"(","digest":"sha256:)" + hex +
         R"(","size":1})";
}
std::string manifest(const std::string& layers) {
  return R"({"schemaVersion":2,"config":{},"layers":[)" + layers + "]}";
}

constexpr const char* kLibrary = "home/.ollama/models/manifests/registry.ollama.ai/library/";

/// Puts a file into the store's blobs; its digest.
std::string put_blob(const Sandbox& box, const std::string& bytes) {
  const std::string hex = sha256_hex(bytes);
  box.put("home/.ollama/models/blobs/sha256-" + hex, bytes);
  return hex;
}

const RegisteredModel& model(const Scan& scan, const std::string& name) {
  for (const RegisteredModel& m : scan.models) {
    if (m.listed.name == name) return m;
  }
  ADD_FAILURE() << "there is no model " << name;
  static const RegisteredModel none;
  return none;
}

TEST(OllamaStore, IsReadByItsManifests) {
  const Sandbox box;
  const std::string weights = put_blob(box, small_file());
  const std::string eye = put_blob(
      box,
      gguf_bytes::File().string("general.architecture", "clip").matrix("v", 32, 1, 0, 128).bytes());
  const std::string text = manifest(layer("model", weights) + "," + layer("projector", eye) + "," +
                                    layer("params", weights));
  box.put(std::string(kLibrary) + "tiny/1b", text);
  const Scan found = scan(box);
  const RegisteredModel& m = model(found, "tiny:1b");
  EXPECT_EQ(m.state, ModelState::kWhole) << m.reason;
  EXPECT_EQ(m.digest, weights);  // Without reading it.
  EXPECT_EQ(m.listed.engine_digest, sha256_hex(text));
  EXPECT_THAT(m.listed.projector->string(), HasSubstr(eye));
  EXPECT_EQ(m.listed.path, "manifests/registry.ollama.ai/library/tiny/1b");
  EXPECT_EQ(m.header->quantisation, "q8_0");
  EXPECT_EQ(m.fingerprint, sha1_hex("ollama/" + m.listed.path));
}

TEST(OllamaStore, SaysWhatIsWrong) {
  const Sandbox box;
  const std::string none(64, 'a');
  box.put(std::string(kLibrary) + "gone/latest", manifest(layer("model", none)));
  box.put(std::string(kLibrary) + "garbage/latest", "{]");
  box.put(std::string(kLibrary) + "escape/latest", manifest(layer("model", "../../etc/passwd")));
  box.put(std::string(kLibrary) + "tensors/latest", manifest(layer("tensor", none)));
  box.put(std::string(kLibrary) + "cloud/latest", manifest(""));
  box.put(std::string(kLibrary) + "stray", "no model's path");
  const Scan found = scan(box);
  EXPECT_EQ(found.models.size(), 4U);
  EXPECT_EQ(model(found, "gone:latest").state, ModelState::kIncomplete);
  EXPECT_THAT(model(found, "gone:latest").reason, HasSubstr("blobs/sha256-aaaa"));
  EXPECT_THAT(model(found, "garbage:latest").reason, HasSubstr("no manifest"));
  EXPECT_THAT(model(found, "escape:latest").reason, HasSubstr("no SHA-256"));
  EXPECT_THAT(model(found, "tensors:latest").reason, HasSubstr("single tensors"));
}

TEST(OllamaStore, LiesWhereTheVariableSays) {
  Sandbox box;
  const std::string hex = sha256_hex(small_file());
  box.put("elsewhere/blobs/sha256:" + hex, small_file());  // As old versions wrote it.
  box.put("elsewhere/manifests/hf.co/org/repo/Q4_K_M", manifest(layer("model", hex)));
  box.put("home/.ollama/models/manifests/registry.ollama.ai/library/a/b", manifest(""));
  box.variables["OLLAMA_MODELS"] = (box.path() / "elsewhere").string();
  const Scan found = scan(box);
  EXPECT_EQ(model(found, "hf.co/org/repo:Q4_K_M").state, ModelState::kWhole);
}

TEST(OllamaNames, LeaveOutTheUsualParts) {
  EXPECT_EQ(ollama_name("registry.ollama.ai/library/llama3.2/1b"), "llama3.2:1b");
  EXPECT_EQ(ollama_name("registry.ollama.ai/me/mine/latest"), "me/mine:latest");
  EXPECT_EQ(ollama_name("hf.co/org/repo/Q8_0"), "hf.co/org/repo:Q8_0");
  EXPECT_FALSE(ollama_name("library/llama3.2/1b"));
  EXPECT_FALSE(ollama_name("a//b/c"));
}

TEST(LmStudioFolder, IsFoundByTheDefaultThePointerAndTheSettings) {
  const Sandbox box;
  box.put("home/.lmstudio/models/pub/repo/a.gguf", small_file());
  EXPECT_EQ(model(scan(box), "pub/repo/a").listed.place, "lmstudio");
  box.put("home/.lmstudio-home-pointer", (box.path() / "moved").string() + "\n");
  box.put("moved/models/pub/repo/b.gguf", small_file());
  EXPECT_EQ(model(scan(box), "pub/repo/b").listed.place, "lmstudio");
  box.put("moved/settings.json",
          R"({"downloadsFolder":")" + (box.path() / "chosen").string() + R"("})");
  box.put("chosen/pub/repo/c.gguf", small_file());
  EXPECT_EQ(model(scan(box), "pub/repo/c").listed.place, "lmstudio");
  box.put("moved/settings.json", "[1");
  EXPECT_EQ(model(scan(box), "pub/repo/b").listed.place, "lmstudio");
}

TEST(LlamaCppCache, IsFound) {
  Sandbox box;
  box.put("home/.cache/llama.cpp/a.gguf", small_file());
  EXPECT_EQ(model(scan(box), "a").listed.place, "llamacpp");
  box.put("cache/b.gguf", small_file());
  box.variables["LLAMA_CACHE"] = (box.path() / "cache").string();
  EXPECT_EQ(model(scan(box), "b").listed.place, "llamacpp");
}

RegisteredModel with_digest(const std::string& place, const std::string& name,
                            const std::string& digest) {
  RegisteredModel m;
  m.listed.place = place;
  m.listed.name = name;
  m.listed.files = {"/models/" + name + ".gguf"};
  if (!digest.empty()) m.digest = digest;
  m.header = GgufInfo{};
  m.header->quantisation = "q4_k_m";
  return m;
}

TEST(SameWeights, AreGroupedByDigestAcrossPlaces) {
  std::vector<RegisteredModel> models{
      with_digest("directory", "a", "d1"),    with_digest("directory", "b", "d2"),
      with_digest("lmstudio", "p/r/b", "d2"), with_digest("ollama", "a:1b", "d1"),
      with_digest("ollama", "c:1b", "d3"),    with_digest("directory", "unknown", "")};
  models.push_back(with_digest("directory", "broken", "d3"));
  models.back().state = ModelState::kBroken;
  const auto groups = same_weights(models);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].digest, "d1");
  EXPECT_THAT(groups[0].models, ElementsAre(0, 3));
  EXPECT_THAT(groups[1].models, ElementsAre(1, 2));
}

TEST(SameWeights, AreFoundByWhatEnginesCallThem) {
  std::vector<RegisteredModel> models{with_digest("directory", "sub/Tiny-Q4_K_M", "d1"),
                                      with_digest("lmstudio", "pub/Tiny-GGUF/tiny-q4", "d1"),
                                      with_digest("ollama", "tiny:1b", "d1"),
                                      with_digest("ollama", "other:1b", "d2")};
  models[2].listed.engine_digest = "m1";
  models[3].listed.engine_digest = "m2";
  const auto found = [&](std::string_view engine, std::string_view name,
                         std::string_view digest = {}) {
    const auto* m = served_model(models, {engine, name, digest});
    return m == nullptr ? std::string("none") : m->listed.name;
  };
  EXPECT_EQ(found("ollama", "tiny:1b"), "tiny:1b");
  EXPECT_EQ(found("ollama", "renamed", "sha256:m2"), "other:1b");
  EXPECT_EQ(found("ollama", "tiny:1b", "m9"), "none");  // Another version of it.
  EXPECT_EQ(found("llamacpp", "/models/sub/Tiny-Q4_K_M.gguf"), "sub/Tiny-Q4_K_M");
  EXPECT_EQ(found("llamacpp", "tiny-q4_k_m.gguf"), "sub/Tiny-Q4_K_M");
  EXPECT_EQ(found("openai", "pub/tiny@q4_k_m"), "pub/Tiny-GGUF/tiny-q4");
  EXPECT_EQ(found("openai", "tiny"), "pub/Tiny-GGUF/tiny-q4");
  EXPECT_EQ(found("openai", "pub/tiny@q8_0"), "none");
  EXPECT_EQ(found("llamacpp", "/elsewhere/Tiny-Q4_K_M.gguf"), "none");
  const auto groups = same_weights(models);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(weights_group(models, groups, {"ollama", "tiny:1b", "m1"}), &groups[0]);
  EXPECT_EQ(weights_group(models, groups, {"openai", "pub/tiny", ""}), &groups[0]);
  EXPECT_EQ(weights_group(models, groups, {"ollama", "other:1b", "m2"}), nullptr);
  EXPECT_EQ(weights_group(models, groups, {"ollama", "nothing", ""}), nullptr);
}

TEST(SameWeights, ADoubtfulNameIsNoModel) {
  const std::vector<RegisteredModel> models{
      with_digest("directory", "x/a", "d1"), with_digest("directory", "y/a", "d2"),
      with_digest("directory", "x/b", "d3"), with_digest("directory", "y/b", "d3")};
  EXPECT_EQ(served_model(models, {"llamacpp", "a", ""}), nullptr);
  EXPECT_EQ(served_model(models, {"llamacpp", "b", ""}), &models[2]);
}

}  // namespace
}  // namespace assay
