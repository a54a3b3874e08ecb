#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/text.h"
#include "supervise/recipe.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 14> kTakes{
    "threads",    "context_length", "parallel",        "gpu_layers",   "gpu_offload",
    "batch_size", "ubatch_size",    "flash_attention", "cache_type_k", "cache_type_v",
    "mmap",       "mlock",          "kv_offload",      "projector"};
/// It would shrink what we did not set so that the model fits; what is in effect is to be known.
constexpr std::array<std::string_view, 1> kEnvironment{"LLAMA_ARG_FIT=off"};
constexpr std::array<std::string_view, 1> kPortTaken{"couldn't bind http server socket"};
constexpr std::array<std::string_view, 3> kReady{"server is listening on", "model loaded",
                                                 "all slots are idle"};
constexpr std::array kFacts{LogFact{LogFact::Of::kThreads, "system_info: n_threads =", {}},
                            LogFact{LogFact::Of::kGpuLayers, "load_tensors: offloaded ", {}},
                            LogFact{LogFact::Of::kGpuLayers, "no usable GPU found", 0.0}};

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

Result<std::vector<std::string>> find(const std::string& named) {
  if (named.find('/') != std::string::npos) {
    if (is_program(named)) return std::vector<std::string>{fs::absolute(named).string()};
    return fail(Errc::kNotFound, fmt::format("{} is no program", printable(named, 200)),
                "--llama-server takes a path, or a name on PATH");
  }
  const char* path = std::getenv("PATH");
  for (const std::string& folder : split(path != nullptr ? path : "/usr/bin:/bin", ':')) {
    const fs::path candidate = fs::path(folder) / named;
    if (!folder.empty() && is_program(candidate)) {
      return std::vector<std::string>{fs::absolute(candidate).string()};
    }
  }
  return fail(Errc::kNotFound, fmt::format("there is no {} on PATH", printable(named, 80)),
              "install llama.cpp, or leave --llama-server out for the bundled engine");
}

std::vector<std::string> arguments(const LaunchRequest& request, const LaunchSettings& s,
                                   uint16_t port) {
  std::vector<std::string> list{"--model", fs::absolute(request.gguf).string(),
                                "--host",  "127.0.0.1",
                                "--port",  std::to_string(port),
                                "--alias", request.alias};
  const auto add = [&](std::string_view name, const auto& value) {
    if (!value) return;
    list.emplace_back(name);
    list.push_back(fmt::format("{}", *value));
  };
  if (s.projector) add("--mmproj", std::optional(fs::absolute(request.projector).string()));
  add("--threads", s.threads);
  const int64_t slots = s.parallel.value_or(1);
  // It divides its context among the slots.
  if (s.context_length) add("--ctx-size", std::optional(*s.context_length * slots));
  add("--parallel", std::optional(slots));
  add("--n-gpu-layers", s.gpu_layers);
  add("--batch-size", s.batch_size);
  add("--ubatch-size", s.ubatch_size);
  add("--flash-attn", s.flash_attention);
  add("--cache-type-k", s.cache_type_k);
  add("--cache-type-v", s.cache_type_v);
  if (s.mmap) list.emplace_back(*s.mmap ? "--mmap" : "--no-mmap");
  if (s.mlock.value_or(false)) list.emplace_back("--mlock");
  if (s.kv_offload) list.emplace_back(*s.kv_offload ? "--kv-offload" : "--no-kv-offload");
  return list;
}

}  // namespace

Recipe llama_server_recipe() {
  return {.name = "llama-server",
          .engine_kind = "llamacpp",
          .find = find,
          .arguments = arguments,
          .takes = kTakes,
          .environment = kEnvironment,
          .key_variable = "LLAMA_API_KEY",
          .health_path = "/health",
          .sees_home = true,
          .log = {llama_cpp_failures(), kFacts, kPortTaken, kReady}};
}

}  // namespace assay
